"""The only place that reads the time or sleeps, so that tests can put another clock in its place."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the rest of the code may ask about time."""

    def now_ms(self) -> int:
        """Wall clock, milliseconds since 1970."""

    def monotonic(self) -> float:
        """Seconds that never go back."""


class SystemClock:
    """The machine's own clock."""

    monotonic = staticmethod(time.monotonic)

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


SYSTEM = SystemClock()


def pause(seconds: float) -> None:
    """Block this thread: for the loops of supervisors, which wait for nothing but the next second."""
    time.sleep(seconds)  # noqa: TID251 - the one allowed place


def utc(ms: int) -> datetime:
    """Milliseconds since 1970 as an aware datetime."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def iso(ms: int) -> str:
    """Milliseconds since 1970 as ISO 8601 with milliseconds and `Z`, as Segment writes timestamps."""
    return utc(ms).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"
