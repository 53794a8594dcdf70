"""The channel of a message: where it came from, as far as the message tells.

Segment's own field is unreliable: real deliveries say `client` for browsers and phones alike, some put it
into the context, some have none. So it is derived, for filters and lists only; the raw field stays as it was.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any


class Channel(StrEnum):
    """What routes filter on."""

    SERVER = "server"
    BROWSER = "browser"
    MOBILE = "mobile"
    CLIENT = "client"
    """A browser or a phone; the message does not tell which."""
    UNKNOWN = "unknown"
    """Missing, or a word nobody knows."""


_BY_NAME = {str(channel): channel for channel in Channel}
_MOBILE_LIBRARIES = ("android", "ios", "swift", "kotlin", "react-native", "flutter")
_MOBILE_DEVICES = frozenset(
    {"android", "ios", "ipados", "watchos", "mobile", "phone", "smartphone", "tablet"}
)
_MOBILE_SYSTEMS = frozenset({"android", "ios", "ipados", "watchos"})


def derive(raw: Any, context: Any) -> Channel:
    """`raw` is the message's `channel` field and `context` its context, both any JSON value."""
    fields = context if isinstance(context, dict) else {}
    name = raw if isinstance(raw, str) and raw else fields.get("channel")
    channel = _BY_NAME.get(name, Channel.UNKNOWN) if isinstance(name, str) else Channel.UNKNOWN
    return _refined(fields) if channel is Channel.CLIENT else channel


def accepted(channels: Iterable[str]) -> frozenset[str]:
    """The derived channels a route with this filter takes: `client` means browsers and phones too."""
    names = frozenset(channels)
    return names | {Channel.BROWSER, Channel.MOBILE} if Channel.CLIENT in names else names


def _refined(context: dict[str, Any]) -> Channel:
    """The library comes first: analytics.js on a phone's browser is a browser, whatever the system says."""
    library = _word(context, "library", "name")
    if "analytics.js" in library or library.endswith("analytics-next"):
        return Channel.BROWSER
    if "analytics" in library and any(name in library.replace("_", "-") for name in _MOBILE_LIBRARIES):
        return Channel.MOBILE
    if _word(context, "device", "type") in _MOBILE_DEVICES or _word(context, "os", "name") in _MOBILE_SYSTEMS:
        return Channel.MOBILE
    return Channel.CLIENT


def _word(context: dict[str, Any], part: str, field: str) -> str:
    inner = context.get(part)
    value = inner.get(field) if isinstance(inner, dict) else None
    return value.lower() if isinstance(value, str) else ""
