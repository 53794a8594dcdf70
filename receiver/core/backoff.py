"""When a failed delivery runs again: schedules, jitter, and what a destination's Retry-After may change."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime

from receiver.core import units

MINUTE, HOUR = 60.0, 3600.0

SCHEDULES: dict[str, tuple[float, ...]] = {
    "segment": (5, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 20 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR),
    "standard": (
        *(5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR),
        *(14 * HOUR, 20 * HOUR, 24 * HOUR),
    ),
}
"""Seconds before each further attempt. `segment`: about 4 hours, as long as Segment itself tries;
`standard`: about 3 days, the example schedule of Standard Webhooks."""

JITTER = 0.2
RETRY_AFTER_MAX_S = 10 * HOUR

_SECONDS = re.compile(r"\d{1,12}(\.\d{1,9})?", re.ASCII)
_LONGEST_DATE = 64


def schedule(written: str | Sequence[str]) -> tuple[float, ...]:
    """`standard`, or `["5s", "1m"]`, as seconds before each further attempt."""
    return SCHEDULES[written] if isinstance(written, str) else tuple(map(units.seconds, written))


def delay_s(schedule: Sequence[float], attempt: int, random: Callable[[], float]) -> float | None:
    """Seconds to wait after attempt number `attempt` (from 1) failed; None: attempts are spent.

    There is one attempt more than the schedule has entries. `random` gives 0 ≤ x < 1; it moves the delay by
    up to 20 % either way, so that deliveries that failed together do not come back together.
    """
    finished = max(attempt, 1)
    if finished > len(schedule):
        return None
    return schedule[finished - 1] * (1 - JITTER + 2 * JITTER * random())


def with_retry_after(delay: float, after_s: float | None) -> float:
    """The delay when the destination asked for one: it may only push later, never sooner; 10 h at most."""
    return delay if after_s is None else max(delay, min(after_s, RETRY_AFTER_MAX_S))


def parse_retry_after(value: str | None, now_ms: int) -> float | None:
    """A Retry-After header (seconds, or an HTTP date) as seconds from now; None if it makes no sense."""
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    if not text or len(text) > _LONGEST_DATE:
        return None
    try:
        moment = parsedate_to_datetime(text)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, aware.timestamp() - now_ms / 1000)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
