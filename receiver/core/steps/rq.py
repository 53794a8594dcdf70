"""The rq step in routes.yaml: the message handed to a function on one of the user's own RQ queues."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import Field

from receiver.core import units
from receiver.core.findings import Findings
from receiver.core.routes_types import Age, DottedName, Keys, MayBeLeftOut, QueueName, Template, Variable
from receiver.core.settings import Secret
from receiver.core.steps.base import Place, Spec, leaves
from receiver.core.yaml_nodes import Path

Serializer = Literal["pickle", "json"]
OURS = "hookyard-"
"""What the names of our own RQ queues begin with: `receiver.core.queue.PREFIX`; a test compares."""


class RqKeys(Keys):
    """A job on a queue of yours, for `rq worker` to run. Nothing waits for its end."""

    queue: QueueName = Field(description="Name of your RQ queue.")
    function: DottedName = Field(
        description="Your function, by its dotted path. Only your workers import it: it is not checked here."
    )
    args: MayBeLeftOut[list[Template]] = Field(
        None,
        description="Positional arguments, templates. Without `args` and `kwargs` the function gets the "
        "whole message as a dict.",
    )
    kwargs: MayBeLeftOut[dict[str, Template]] = Field(None, description="Named arguments, templates.")
    redis_url_env: MayBeLeftOut[Variable] = Field(
        None,
        description="Environment variable with the URL of your queue's Redis. Left out: the Redis that holds "
        "Hookyard's messages.",
    )
    serializer: Serializer = Field(
        "pickle",
        description="How your workers read jobs: `pickle` is RQ's own way; `json` for workers with "
        "`--serializer json`.",
    )
    job_timeout: MayBeLeftOut[Age] = Field(
        None, description="Longest time the job may run. Left out: RQ's own, 3 minutes."
    )
    ttl: MayBeLeftOut[Age] = Field(
        None, description="How long the job waits for a worker before it is gone. Left out: for ever."
    )
    result_ttl: MayBeLeftOut[Age] = Field(
        None, description="How long RQ keeps the finished job and its result. Left out: 500 seconds."
    )
    failure_ttl: MayBeLeftOut[Age] = Field(
        None, description="How long RQ keeps the failed job. Left out: a year."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RqSpec(Spec):
    """Enqueue one job. `args` and the values of `kwargs` are templates; both None: the message."""

    kind: ClassVar[str] = "rq"
    queue: str
    function: str
    args: tuple[Any, ...] | None = None
    kwargs: Mapping[str, Any] | None = None
    url: Secret | None = None
    """None: the store's Redis."""
    serializer: Serializer = "pickle"
    job_timeout_s: float | None = None
    ttl_s: float | None = None
    result_ttl_s: float | None = None
    failure_ttl_s: float | None = None


def check(path: Path, step: Any, data: Mapping[str, Any], findings: Findings) -> None:
    """A queue that is the user's own."""
    queue = step.get("queue") if isinstance(step, dict) else None
    if isinstance(queue, str) and queue.startswith(OURS):
        findings.error((*path, "queue"), f"queues that begin with {OURS} are Hookyard's; take one of yours")


def templates(path: Path, step: Any) -> Iterator[Place]:
    """The arguments, and the variable with the URL."""
    if isinstance(step, dict):
        for key in ("args", "kwargs"):
            yield from leaves((*path, key), step.get(key))
        yield (*path, "redis_url_env"), step.get("redis_url_env"), "redis_env"


def build(keys: RqKeys, environ: Mapping[str, str]) -> RqSpec:
    """The record of an rq step."""
    return RqSpec(
        queue=keys.queue,
        function=keys.function,
        args=None if keys.args is None else tuple(keys.args),
        kwargs=keys.kwargs,
        url=None if keys.redis_url_env is None else Secret(environ[keys.redis_url_env]),
        serializer=keys.serializer,
        job_timeout_s=_seconds(keys.job_timeout),
        ttl_s=_seconds(keys.ttl),
        result_ttl_s=_seconds(keys.result_ttl),
        failure_ttl_s=_seconds(keys.failure_ttl),
    )


def _seconds(written: str | None) -> float | None:
    return None if written is None else units.seconds(written)
