"""Time limits like those of `asyncio.timeout`, for thousands of steps a second that end in time.

A timer of its own for each, set and cancelled again, cost as much as all else around a small step. Limits of
the same length expire in the order in which they began: one timer, for the oldest of them, is enough.
"""

import asyncio
from types import TracebackType


class Limit:
    """Cancels what runs in its `with` block when its time is up, and turns that into TimeoutError."""

    __slots__ = ("_cancelling", "_line", "_task", "at", "expired")

    at: float
    """When the time is up, by the loop's clock."""

    def __init__(self, line: "_Line") -> None:
        self._line = line
        self.expired = False
        """Whether it is this limit that ended the block."""

    def __enter__(self) -> "Limit":
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a time limit can only end a task")
        self._task = task
        self._cancelling = task.cancelling()
        self._line.enter(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.expired:
            self._line.leave(self)
        elif self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error  # else somebody else cancels as well, and that goes first

    def expire(self) -> None:
        self.expired = True
        self._task.cancel()


class Limits:
    """All time limits of one event loop; made inside it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lines: dict[float, _Line] = {}

    def within(self, seconds: float) -> Limit:
        """`with limits.within(30) as limit:` runs for no longer than that, or raises TimeoutError."""
        line = self._lines.get(seconds)
        if line is None:
            line = self._lines[seconds] = _Line(seconds, self._loop)
        return Limit(line)


class _Line:
    """The limits of one length that are running, oldest first."""

    def __init__(self, seconds: float, loop: asyncio.AbstractEventLoop) -> None:
        self._seconds = seconds
        self._loop = loop
        self._running: dict[Limit, None] = {}
        self._armed = False

    def enter(self, limit: Limit) -> None:
        limit.at = self._loop.time() + self._seconds
        self._running[limit] = None
        if not self._armed:
            self._arm(limit.at)

    def leave(self, limit: Limit) -> None:
        del self._running[limit]

    def _arm(self, at: float) -> None:
        self._armed = True
        self._loop.call_at(at, self._look)

    def _look(self) -> None:
        """Expire whose time is up; come back for the oldest of the others."""
        self._armed = False
        now = self._loop.time()
        for limit in list(self._running):
            if limit.at > now:
                self._arm(limit.at)
                return
            self.leave(limit)
            limit.expire()
