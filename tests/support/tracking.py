"""Calls of the tracking API, as libraries make them."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.support.http_side import WRITE_KEY, HttpSide
from tests.support.sender import Answer

TRACK: Mapping[str, Any] = {"type": "track", "event": "E", "userId": "u"}
SLASHES = ["", "/"]
"""Both forms of a path are served."""


def text(value: Any) -> bytes:
    """Its JSON."""
    return json.dumps(value).encode()


def basic(key: str) -> dict[str, str]:
    """The write key as a header."""
    return {"authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


def keyed(message: Mapping[str, Any] = TRACK, key: str = WRITE_KEY) -> bytes:
    """A single call with its write key."""
    return text({**message, "writeKey": key})


def batch(*items: Any, **envelope: Any) -> bytes:
    """A batch with its write key."""
    return text({"batch": items, "writeKey": WRITE_KEY, **envelope})


def of_size(size: int) -> bytes:
    """A good call of exactly so many bytes."""
    empty = keyed({**TRACK, "pad": ""})
    return empty.replace(b'"pad": ""', b'"pad": "%b"' % (b"x" * (size - len(empty))))


def stored(side: HttpSide) -> list[Any]:
    """The messages that were kept."""
    return [json.loads(body) for body in side.recorder.bodies]


def post(side: HttpSide, path: str, body: bytes | Sequence[bytes], **headers: str) -> Answer:
    """One call; underscores in the names of headers stand for dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return side.send(body, path=f"/v1/{path}", headers=named)
