"""The handler step: call the user's function, async on the loop, sync in a thread.

Whatever it raises becomes an outcome; nothing it does may end the drain. Only the cancelling of the attempt
itself (its timeout, a stopping drain) goes through.
"""

import asyncio
import inspect
import traceback
from typing import Any, cast

from receiver.core.steps.base import StepConfig
from receiver.core.steps.handler import HandlerSpec
from workers.api import Context, Message
from workers.errors import DropEvent, PermanentError, RetryError, SegmentLoop, outcome_of
from workers.loading import Handler, HandlerNotFound, load
from workers.outcome import Done, Drop, Outcome, Retry
from workers.steps.base import Step
from workers.steps.output import kept
from workers.toolbox import Toolbox

MAX_TRACE = 4_000
FRAMES = 12


class HandlerStep:
    """Runs one handler."""

    def __init__(self, config: StepConfig, handler: Handler, tools: Toolbox) -> None:
        self.name = config.name
        self.timeout_s = config.timeout_s
        self._handler = handler
        self._tools = tools

    async def run(self, message: Message, context: Context) -> Outcome:
        own = context.at(self.name)
        if self._handler.is_async:
            return await self._await(self._handler(message.copy(), own))
        try:
            outcome = await self._tools.threads.call(lambda: self._call(message.copy(), own))
        except asyncio.CancelledError:
            own.end()
            raise
        if isinstance(outcome, Done) and inspect.isawaitable(outcome.output):
            return await self._await(outcome.output)  # a plain function that hands on an async one
        return _checked(outcome)

    async def _await(self, call: Any) -> Outcome:
        try:
            return _checked(Done(await call))
        except BaseException as error:
            if _is_ours(error):
                raise
            return failed(error)

    def _call(self, message: Message, context: Context) -> Outcome:
        """In the thread: exceptions end here, because a future cannot carry all of them (StopIteration)."""
        try:
            return Done(self._handler(message, context))
        except BaseException as error:  # noqa: BLE001 - as above
            return failed(error)


class MissingHandlerStep:
    """Stands in for a handler that cannot be imported: its own route waits, the others go on."""

    def __init__(self, config: StepConfig, reason: HandlerNotFound) -> None:
        self.name = config.name
        self.timeout_s = config.timeout_s
        self._outcome = Retry(reason.code, str(reason))

    async def run(self, message: Message, context: Context) -> Outcome:
        return self._outcome


def build(config: StepConfig, tools: Toolbox) -> Step:
    spec = cast(HandlerSpec, config.spec)
    try:
        return HandlerStep(config, load(spec.target), tools)
    except HandlerNotFound as reason:
        return MissingHandlerStep(config, reason)


def failed(error: BaseException) -> Outcome:
    """What an exception of a handler means for its delivery."""
    if isinstance(error, RetryError | PermanentError):
        return outcome_of(error)
    if isinstance(error, DropEvent):
        code = error.code if isinstance(error, SegmentLoop) else DropEvent.code
        return Drop(str(error), code)
    return Retry("handler_error", _trace(error))


def _is_ours(error: BaseException) -> bool:
    """Whether it is this attempt that is being cancelled, not something inside the handler."""
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0
    return False


def _trace(error: BaseException) -> str:
    """The traceback from the handler's own frames on; its end when it is long, for there is the reason."""
    skipped = error.__traceback__.tb_next if error.__traceback__ else None
    text = "".join(traceback.format_exception(type(error), error, skipped, limit=-FRAMES))
    return text if len(text) <= MAX_TRACE else "…" + text[-MAX_TRACE:]


def _checked(outcome: Outcome) -> Outcome:
    return kept(outcome.output, "the handler's output") if isinstance(outcome, Done) else outcome
