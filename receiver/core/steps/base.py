"""What every kind of step has in common: the record a step becomes, the keys beside its kind, and `Kind`.

One file a kind stands beside this one; `receiver.core.steps.KINDS` names them. They know the file's shape and
what a step means, and nothing of how it runs: that is `workers.steps`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

from pydantic import Field

from receiver.core import templates
from receiver.core.findings import Findings
from receiver.core.fql import Predicate
from receiver.core.routes_types import Keys, MayBeLeftOut, Name, Retry, Timeout
from receiver.core.yaml_nodes import Path

DEFAULT_TIMEOUT_S = 30.0

Meaning = templates.Kind | Literal["fql", "env", "header_env", "redis_env", "webhook_env"]
"""What a value is: a template that makes this, a condition, or one or more names of environment variables
(with any text; what can stand in a header; the URL of a Redis; a secret of Standard Webhooks)."""
Place = tuple[Path, Any, Meaning]
"""Where a value stands, the value, and what it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What a step does: one record a kind, with templates as they were written."""

    kind: ClassVar[str]
    """The key of `receiver.core.steps.KINDS` it belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepConfig:
    """One piece of a route's work."""

    name: str
    """Its `as`: unique within the route; later steps see its output as `steps.<name>`."""
    spec: Spec
    timeout_s: float = DEFAULT_TIMEOUT_S
    when: Predicate | None = None
    """It runs where this is true of the message and `steps`; None: always. Else it is skipped: its output is
    null."""
    retry: tuple[float, ...] | None = None
    """Seconds before each further attempt; None: by the route's schedule."""
    goes_on: bool = False
    """Whether the delivery goes on without it when it has failed for good."""

    @property
    def kind(self) -> str:
        """A key of `receiver.core.steps.KINDS`."""
        return self.spec.kind


class SharedKeys(Keys):
    """What stands beside the kind of a step: how to run it."""

    as_: MayBeLeftOut[Name] = Field(
        None,
        alias="as",
        description="Name of the step: `steps.<name>` in later templates. Left out: its kind.",
    )
    when: MayBeLeftOut[str] = Field(
        None,
        description="FQL over the message and `steps.<name>`, the outputs of earlier steps: where it is not "
        "true the step is skipped, and its output is null. Left out: it always runs.",
        examples=["properties.revenue >= 1000"],
    )
    timeout: Timeout = Field("30s", description="Longest time one attempt may take.")
    retry: MayBeLeftOut[Retry] = Field(
        None,
        description="When this step is tried again, in the words of the route's `retry`; its attempts are "
        "then counted apart. Left out: by the route's schedule.",
    )
    on_error: Literal["stop", "continue"] = Field(
        "stop",
        description="What follows when it has failed for good, be it that its attempts are spent or that "
        "trying again cannot help. `stop`: a dead letter. `continue`: its output becomes "
        "`{error: {code, message}}`, and the next steps run.",
    )


class Kind(Protocol):
    """A kind of step, as far as routes.yaml goes; the modules of this package are of it.

    `check` and `templates` take data of any shape: one run finds all problems, and not the shape's first.
    """

    def check(self, path: Path, step: Any, data: Mapping[str, Any], findings: Findings) -> None:
        """Note what cannot work beyond the shape. `step` is what stands under the kind's key at `path`,
        `data` the whole file."""

    def templates(self, path: Path, step: Any) -> Iterator[Place]:
        """Every template, condition and environment variable of the step."""
        ...

    def build(self, keys: Any, environ: Mapping[str, str]) -> Spec:
        """The record of a step in which no problem was found; `keys` is its model (or text). Every variable
        it names is in `environ`."""
        ...


def leaves(path: Path, value: Any) -> Iterator[Place]:
    """Every text in a value that becomes JSON."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves((*path, key), inner)
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from leaves((*path, at), inner)
    elif isinstance(value, str):
        yield path, value, "json"


def is_template(value: Any) -> bool:
    """Whether a value is made from the message, so that its type is not known yet."""
    return isinstance(value, str) and "{{" in value
