"""All a handler may import: the message, the context, and the errors that say how a delivery goes on.

A handler is `def` or `async def` with `(message, context)` or just `(message)`; what it returns is its
output, which later steps see and which must be JSON-able.
"""

import asyncio
from collections.abc import Coroutine, MutableMapping
from concurrent.futures import Future
from logging import Logger, LoggerAdapter, getLogger
from typing import Any, TypeVar

from receiver.core.message import Trigger
from workers.errors import (
    DropEvent,
    EventNotSupported,
    InvalidEventPayload,
    InvalidSegmentCall,
    PermanentError,
    RetryError,
    SegmentLoop,
    ValidationError,
)
from workers.http import Outbound
from workers.ids import stable_id, stable_uuid
from workers.message import Message
from workers.profile import ProfileConnection
from workers.response import Response
from workers.segment import SegmentConnection
from workers.toolbox import Toolbox

__all__ = [
    "Context",
    "DropEvent",
    "EventNotSupported",
    "InvalidEventPayload",
    "InvalidSegmentCall",
    "Message",
    "PermanentError",
    "Response",
    "RetryError",
    "SegmentLoop",
    "Trigger",
    "ValidationError",
]

T = TypeVar("T")
LOGGER = getLogger("hookyard.handlers")


class Context:
    """One attempt at one delivery, and what a handler may use in it."""

    __slots__ = (
        *("_calls", "_message", "_over", "_pending", "_step", "_tools"),
        *("attempt", "delivery", "replay", "route", "steps", "trigger"),
    )

    def __init__(
        self,
        *,
        message: Message,
        delivery: str,
        route: str,
        attempt: int,
        trigger: Trigger,
        replay: int,
        steps: dict[str, Any],
        tools: Toolbox,
        step: str = "",
    ) -> None:
        self.delivery = delivery
        """`<message number>:<route>:<replay or 0>`: the same on every attempt."""
        self.route = route
        """The route's name."""
        self.attempt = attempt
        """1 for the first."""
        self.trigger = trigger
        """live, retry or replay."""
        self.replay = replay
        """Number of the replay this delivery comes from; 0 for live traffic."""
        self.steps = steps
        """Outputs of the steps before this one, by name."""
        self._message = message
        self._step = step
        self._tools = tools
        self._calls: dict[str, int] = {}
        self._pending: set[Future[Any]] = set()
        self._over = False

    def at(self, step: str) -> "Context":
        """The context of one step: keys and ids made from it belong to that step."""
        return Context(
            message=self._message,
            delivery=self.delivery,
            route=self.route,
            attempt=self.attempt,
            trigger=self.trigger,
            replay=self.replay,
            steps=self.steps,
            tools=self._tools,
            step=step,
        )

    @property
    def idempotency_key(self) -> str:
        """The same on every attempt of this step of this delivery; another one for a replay."""
        return stable_id(self._tools.store_id, self.delivery, self._step)

    @property
    def anonymous_id(self) -> str:
        """An anonymousId for a user without one: the same in all steps of this delivery, on every attempt."""
        return stable_uuid("anonymousId", self._tools.store_id, self.delivery)

    @property
    def log(self) -> "LoggerAdapter[Logger]":
        """A logger whose records carry the ids of this attempt."""
        ids = {
            "message_id": self._message.id,
            "route": self.route,
            "step": self._step,
            "attempt": self.attempt,
        }
        return _Log(LOGGER, {**ids, "delivery": self.delivery})

    @property
    def http(self) -> Outbound:
        """The shared HTTP client: `response = await context.http.post(url, json=…)`."""
        return self._tools.http

    def segment(self, connection: str) -> SegmentConnection:
        """Calls to Segment: `await context.segment("crm").track("Seen", user_id=…)`."""

        def call_id(call: bytes) -> str:
            base = stable_id(self.idempotency_key, connection, call.decode())
            times = self._calls[base] = self._calls.get(base, 0) + 1
            return base if times == 1 else stable_id(base, str(times))  # made twice, it is two messages

        return SegmentConnection(self._tools.segment(connection), self._message, call_id)

    def profile(self, connection: str) -> ProfileConnection:
        """What Segment knows of a user or account: `await context.profile("crm").traits("user_id:42")`."""
        return ProfileConnection(self._tools.profile(connection))

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        """For sync handlers: `context.run(context.http.post(url, json=…))` waits for the answer."""
        problem = "the attempt was given up" if self._over else _on_a_loop()
        if problem:
            call.close()
            raise RuntimeError(problem)
        future = asyncio.run_coroutine_threadsafe(call, self._tools.loop)
        self._pending.add(future)
        if self._over:  # given up between the check and the line above
            future.cancel()
        try:
            return future.result()
        finally:
            self._pending.discard(future)

    def end(self) -> None:
        """The attempt was given up: a sync handler that still runs gets no further with `run`."""
        self._over = True
        for future in list(self._pending):
            future.cancel()


def _on_a_loop() -> str:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return ""
    return "context.run would wait for its own loop: in an async handler use await"


class _Log(LoggerAdapter[Logger]):
    """Adds the ids to those of the call instead of replacing them."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        kwargs["extra"] = {**(self.extra or {}), **(kwargs.get("extra") or {})}
        return msg, kwargs
