"""The tracking pixel: a message in the address of an image, for e-mails and other places without scripts.

The message stands in `?data=` as base64 of its JSON, or spread over parameters whose names have dots:
`?userId=u1&properties.subject=Hello`. Those are texts, all of them.
"""

import binascii
import json
from base64 import b64decode
from typing import Any
from urllib.parse import parse_qsl

from receiver.core.errors import MalformedMessage

GIF = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""1 by 1, transparent."""
HEADERS = [
    (b"content-type", b"image/gif"),
    (b"content-length", str(len(GIF)).encode()),
    (b"cache-control", b"no-store, no-cache, must-revalidate, private"),
]
"""Kept by nobody: each time it is shown counts."""
MAX_PARAMETERS = 1000
MAX_LEVELS = 20
"""Dots beyond them are part of the last name."""


def body_of(query: bytes) -> bytes:
    """The message of a query string, as JSON. Raises MalformedMessage."""
    try:
        found = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError as error:
        raise MalformedMessage(f"The query cannot be read: {error}.") from error
    data = next((value for name, value in found if name == "data"), None)
    return json.dumps(_nested(found)).encode() if data is None else _decoded(data)


def _decoded(data: str) -> bytes:
    """The JSON in `data`: base64 of either alphabet, with or without `=`, or plain."""
    if data.lstrip().startswith("{"):
        return data.encode()
    # A plus that was not escaped arrives as a space.
    text = data.replace(" ", "+").replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedMessage(f"`data` is no base64: {error}.") from error


def _nested(parameters: list[tuple[str, str]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in parameters:
        *above, last = name.split(".", MAX_LEVELS)
        place = made
        for part in above:
            inner = place.get(part)
            if not isinstance(inner, dict):
                inner = place[part] = {}
            place = inner
        place[last] = value
    return made
