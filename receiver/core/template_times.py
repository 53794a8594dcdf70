"""Filters for points in time. They take ISO 8601 texts, as messages have them, and seconds since 1970."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from receiver.core import units
from receiver.core.timestamps import parse_time

MILLISECONDS_FROM = 1e11
"""A number from here on counts milliseconds: as seconds it would be in the year 5138 or later."""

_BAD_DIRECTIVE = re.compile(r"%[^A-Za-z%]")
_LONGEST_FORMAT = 200


def date(value: Any, form: str = "%Y-%m-%d", zone: str = "UTC") -> str | int:
    """The time in the words of strftime, in a time zone; or as `iso`, `unix` (seconds), `unix_ms`."""
    moment = _moment(value).astimezone(_zone(zone))
    if form == "iso":
        return _iso(moment)
    if form in ("unix", "unix_ms"):
        return int(moment.timestamp() * (1000 if form == "unix_ms" else 1))
    if len(form) > _LONGEST_FORMAT or _BAD_DIRECTIVE.search(form):
        raise ValueError("`date`: a format is made of directives such as %Y, %m and %d, without widths")
    return moment.strftime(form)


def plus(value: Any, duration: str) -> str:
    """The time so much later, as ISO 8601."""
    return _iso(_moment(value) + timedelta(seconds=units.seconds(duration)))


def minus(value: Any, duration: str) -> str:
    """The time so much earlier, as ISO 8601."""
    return _iso(_moment(value) - timedelta(seconds=units.seconds(duration)))


def since(value: Any, earlier: Any) -> float:
    """Seconds from the other time to this one."""
    return (_moment(value) - _moment(earlier)).total_seconds()


def _moment(value: Any) -> datetime:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value / (1000 if abs(value) >= MILLISECONDS_FROM else 1), UTC)
        except (OverflowError, ValueError, OSError):  # the system's own limit is an OSError
            raise ValueError("the number is no time between the years 1 and 9999") from None
    moment = parse_time(value)
    if moment is None:
        raise ValueError(f"{str(value)[:40]!r} is no time; ISO 8601 or seconds since 1970 are")
    return moment


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name[:40]}; write one such as Europe/Berlin") from None


def _iso(moment: datetime) -> str:
    """As Segment writes times: with milliseconds, and `Z` for UTC."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
