"""Makes what steps and handlers need in a test: configurations, messages, contexts."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from receiver.core.connections import Connection
from receiver.core.message import Trigger
from receiver.core.routes import Config
from receiver.core.settings import Secret
from receiver.core.steps.base import Spec, StepConfig
from receiver.core.steps.handler import HandlerSpec
from receiver.core.steps.http import HttpSpec, Method
from workers import steps
from workers.api import Context, Message
from workers.outcome import Done, Outcome
from workers.toolbox import Toolbox

T = TypeVar("T")

STORE = "store-1"
NOWHERE = "http://127.0.0.1:9"
"""Nothing listens there."""
NO_REDIS = "redis://127.0.0.1:9"
"""What is not limited asks no Redis."""
BODY = {"type": "track", "userId": "u/1", "properties": {"order_id": "o 1", "total": 3}}


def a_config(*, segment_url: str = NOWHERE, **connection: Any) -> Config:
    """No routes; one connection, `crm`, to `segment_url`, by the credentials of a SegmentStandIn."""
    credentials = {"write_key": Secret("key"), "profile_token": Secret("profile-token"), "space_id": "space"}
    addresses = {"tracking_url": segment_url, "profile_url": segment_url}
    crm = Connection(name="crm", **{**credentials, **addresses, **connection})
    return Config(sources={}, connections={"crm": crm}, routes={}, version="test", paths={})


def a_message(body: Mapping[str, Any] | bytes = b"{}", *, number: int = 17) -> Message:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Message(number=number, raw=raw, source="shop", received_ms=1_767_225_600_000)


def a_context(
    tools: Toolbox,
    message: Message,
    *,
    attempt: int = 1,
    replay: int = 0,
    outputs: dict[str, Any] | None = None,
) -> Context:
    return Context(
        message=message,
        delivery=f"{message.number}:orders:{replay}",
        route="orders",
        attempt=attempt,
        trigger=Trigger.LIVE if attempt == 1 else Trigger.RETRY,
        replay=replay,
        steps=outputs or {},
        tools=tools,
    )


def a_step(spec: Spec, *, name: str = "") -> StepConfig:
    """A step that does this, called by its kind unless it has a `name`."""
    return StepConfig(name=name or spec.kind, spec=spec)


def with_tools(
    work: Callable[[Toolbox], Coroutine[Any, Any, T]],
    *,
    segment_url: str = NOWHERE,
    redis_url: str = NO_REDIS,
    **connection: Any,
) -> T:
    """Run `work` in a loop of its own with a toolbox, as a drain would. `connection`: more of `crm`."""
    config = a_config(segment_url=segment_url, **connection)

    async def main() -> T:
        async with Toolbox.open(config, 8, STORE, redis_url) as tools:
            return await work(tools)

    return asyncio.run(main())


def run_step(
    spec: Spec,
    message: Message,
    *,
    segment_url: str = NOWHERE,
    redis_url: str = NO_REDIS,
    timeout_s: float = 10.0,
    connection: Mapping[str, Any] | None = None,
    **context: Any,
) -> Outcome:
    """One attempt of one step, under a timeout as the delivery has one. `connection`: more of `crm`."""

    async def work(tools: Toolbox) -> Outcome:
        step = steps.build(a_step(spec), tools)
        async with asyncio.timeout(timeout_s):
            return await step.run(message, a_context(tools, message, **context))

    return with_tools(work, segment_url=segment_url, redis_url=redis_url, **(connection or {}))


def post(
    url: str, *, method: Method = "POST", message: Mapping[str, Any] | bytes = BODY, **spec: Any
) -> Outcome:
    """One attempt of an http step, private addresses allowed unless `spec` says otherwise."""
    built = HttpSpec(method=method, url=url, **{"allow_private": True, **spec})
    return run_step(built, a_message(message))


def called(name: str, *, url: str = "", segment_url: str = NOWHERE, attempt: int = 1) -> Outcome:
    """One attempt of a handler of `handlers_under_test`; it finds `url` in its message."""
    message = a_message({"userId": "u1", "url": url})
    spec = HandlerSpec(target=f"tests.support.handlers_under_test:{name}")
    return run_step(spec, message, segment_url=segment_url, attempt=attempt)


def output(outcome: Outcome) -> dict[str, Any]:
    """The output of a step that must have worked."""
    assert isinstance(outcome, Done), outcome
    assert isinstance(outcome.output, dict)
    return outcome.output
