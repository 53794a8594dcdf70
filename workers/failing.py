"""What of an attempt's outcome is the destination's failure, and how long one attempt may hold up others."""

from receiver.core.records import Progress
from workers.hosts import HostDown
from workers.outcome import Outcome, Retry

UNREACHED = frozenset({HostDown.code, "dns", "connect", "tls", "disconnect", "timeout"})
ORDER_WAIT_MS = 3_600_000
"""How long a delivery that fails holds up those of its ordering key: when its next attempt would be later
than this after its first, they go before it."""


def failure_of(outcome: Outcome) -> str:
    """The code, where it is the destination that failed: no connection, no answer in time, 5xx. Else empty:
    what a handler raises of its own accord says nothing about a destination."""
    if isinstance(outcome, Retry) and (outcome.code in UNREACHED or outcome.code.startswith("http_5")):
        return outcome.code
    return ""


def overtaken(progress: Progress, started_ms: int, due_ms: int) -> bool:
    """Whether a delivery that waits for a retry until `due_ms` lets the others of its ordering key go first.
    `started_ms`: of the attempt that has just ended."""
    first_ms = progress.history[0].started_ms if progress.history else started_ms
    return due_ms - first_ms > ORDER_WAIT_MS
