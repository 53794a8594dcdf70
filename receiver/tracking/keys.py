"""Write keys: where a call may carry one, and whose it is (segment.md 3.2).

The innermost counts: that of a batch's item before that of the body, and that before the one in the
Authorization header. A bearer token is not looked at: it belongs to Segment's OAuth, and the write key says
whose the message is.
"""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from functools import lru_cache

from receiver.core import json_text
from receiver.core.facts import Fields
from receiver.core.routes import Config, SourcePath

FIELD = "writeKey"


class WriteKeys:
    """The write keys of one config."""

    def __init__(self, config: Config) -> None:
        self._ways = {key.reveal(): way for way in config.tracking.values() for key in way.source.write_keys}

    def way(self, key: str | None) -> SourcePath | None:
        """The way in that the key opens."""
        return None if key is None else self._ways.get(key)


def in_fields(fields: Fields) -> str | None:
    """The write key of a message or an envelope; None where there is none to speak of."""
    found = fields.get(FIELD)
    if found is None or memoryview(found)[:1].tobytes() != b'"':
        return None
    return str(json_text.value(found)) or None


def in_header(headers: Mapping[bytes, bytes]) -> str | None:
    """The write key in `Authorization: Basic base64(key:)`, also without the colon."""
    return _in_credentials(headers.get(b"authorization", b""))


@lru_cache(256)
def _in_credentials(credentials: bytes) -> str | None:
    """Remembered, because a library sends the same each time."""
    scheme, _, given = credentials.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        user = b64decode(given.strip(), validate=True).partition(b":")[0]
    except binascii.Error:
        return None
    return user.decode("utf-8", "replace") or None
