"""`X-Segment-Settings`: what a customer set in a partner subscription's form, as Segment sends it along."""

import base64
import json
from typing import Any, NoReturn

from receiver.core.errors import MalformedSettings
from receiver.schemes.base import Unverified

HEADER = b"x-segment-settings"
LONGEST = 32_768
"""Bytes in base64; a server takes heads of 64 kB."""


def settings_text(request: Unverified) -> str:
    """The settings as they came, checked; empty if the request has none. Raises MalformedSettings."""
    return "" if settings_of(request) is None else request.header(HEADER)[0].decode()


def settings_of(request: Unverified) -> dict[str, Any] | None:
    """The settings; None if the request has none. Raises MalformedSettings."""
    values = request.header(HEADER)
    if not values:
        return None
    if len(values) > 1 or len(values[0]) > LONGEST:
        raise MalformedSettings(f"X-Segment-Settings must be one value of {LONGEST} bytes at most.")
    try:
        settings = json.loads(_decoded(values[0]).decode(), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise MalformedSettings("X-Segment-Settings must be a JSON object in base64.") from error
    if not isinstance(settings, dict):
        raise MalformedSettings("X-Segment-Settings is JSON, but no object.")
    return settings


def _decoded(value: bytes) -> bytes:
    """Padding may be left out. Raises ValueError."""
    digits = value.rstrip(b"=")
    return base64.b64decode(digits + b"=" * (-len(digits) % 4), validate=True)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")
