"""What receivers refused lately, kept for people: `hookyard refused` says why nothing arrives.

A bounded list beside the messages, no part of the promise: written now and then, lost without harm.
"""

from collections.abc import Sequence
from typing import cast

import msgspec
from redis import Redis

from receiver.core import keys, scripts
from receiver.core.scripts import Call

KEPT = 200
SAMPLE = 300
"""Bytes of a body that are shown."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Requests, or elements of batches, of one source that were refused for one reason."""

    at_ms: int
    """When the last of them was."""
    source: str
    """Its name; where it is not known, the path."""
    code: str
    count: int
    """How many since the refusal that was noted before it."""
    size: int
    """Bytes of the last one; 0: not read, or not told."""
    sample: str
    """The beginning of the last one; empty where nobody knows whose it is."""


def record(refusals: Sequence[Refusal]) -> Call[None]:
    """Put them before those that are kept, the last one first."""
    packed = (msgspec.json.encode(one) for one in refusals)
    return scripts.call("refusals", {"keep": KEPT}, lambda reply: None, *packed)


def recent(redis: "Redis") -> list[Refusal]:
    """Those kept, newest first."""
    found = cast("list[bytes]", redis.lrange(keys.key("REFUSALS"), 0, -1))
    return [msgspec.json.decode(one, type=Refusal) for one in found]
