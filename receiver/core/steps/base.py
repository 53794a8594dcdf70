"""What every kind of step has in common: the record a step becomes, the keys beside its kind, and `Kind`.

One file a kind stands beside this one; `receiver.core.steps.KINDS` names them. They know the file's shape and
what a step means, and nothing of how it runs: that is `workers.steps`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from pydantic import Field

from receiver.core import templates
from receiver.core.findings import Findings
from receiver.core.routes_types import Keys, MayBeLeftOut, Name, Timeout
from receiver.core.yaml_nodes import Path

DEFAULT_TIMEOUT_S = 30.0

Place = tuple[Path, Any, templates.Kind]
"""Where a template stands, the template, and what it makes."""


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
    timeout: Timeout = Field("30s", description="Longest time one attempt may take.")


class Kind(Protocol):
    """A kind of step, as far as routes.yaml goes; the modules of this package are of it.

    `check` and `templates` take data of any shape: one run finds all problems, and not the shape's first.
    """

    def check(self, path: Path, step: Any, data: Mapping[str, Any], findings: Findings) -> None:
        """Note what cannot work beyond the shape. `step` is what stands under the kind's key at `path`,
        `data` the whole file."""

    def templates(self, path: Path, step: Any) -> Iterator[Place]:
        """Every template of the step."""
        ...

    def build(self, keys: Any) -> Spec:
        """The record of a step in which no problem was found; `keys` is its model (or text)."""
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
