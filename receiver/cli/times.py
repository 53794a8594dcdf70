"""Times on the command line: how people write them, and how tables show them. Always UTC."""

import re
from datetime import UTC, datetime, timedelta

import click

from receiver.core import units
from receiver.core.clock import SYSTEM, iso, utc

DAYS_BACK = {"today": 0, "yesterday": 1}
DAY_MS = 86_400_000
_AGO = re.compile(r"\s+ago$")


def moment(text: str, now_ms: int) -> int:
    """Milliseconds since 1970 of `2026-07-30T12:00:00Z`, `2026-07-30`, `1h30m`, `1h ago`, `today`, `now`.

    A time without an offset is UTC. Raises ValueError with a sentence that says what is expected.
    """
    words = text.strip().lower()
    if words == "now":
        return now_ms
    if words in DAYS_BACK:
        return now_ms - now_ms % DAY_MS - DAYS_BACK[words] * DAY_MS
    try:
        return max(0, now_ms - round(units.seconds(_AGO.sub("", words)) * 1000))
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(
            f"{text!r} is no time; write for example 2026-07-30, 2026-07-30T12:00:00Z, 1h, 3d or today"
        ) from None
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    return max(0, (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1))


def moment_option(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Callback of an option that is a point in time."""
    try:
        return None if value is None else moment(value, SYSTEM.now_ms())
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def age(ms: int | None, now_ms: int) -> str:
    """How long ago, in its largest unit: `45s`, `12m`, `3h`, `5d`. Nothing for no time."""
    if ms is None:
        return ""
    seconds = max(0, now_ms - ms) // 1000
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def short(ms: int, now_ms: int) -> str:
    """`12:03:04` within the last day, else `07-30 12:03`: for narrow tables."""
    return utc(ms).strftime("%H:%M:%S" if 0 <= now_ms - ms < DAY_MS else "%m-%d %H:%M")


def minute(ms: int) -> str:
    """`2026-07-30 12:03`."""
    return utc(ms).strftime("%Y-%m-%d %H:%M")


def full(ms: int, now_ms: int) -> str:
    """`2026-07-30T12:03:04.123Z (3m ago)`."""
    when = f"{age(ms, now_ms)} ago" if ms <= now_ms else f"in {age(2 * now_ms - ms, now_ms)}"
    return f"{iso(ms)} ({when})"
