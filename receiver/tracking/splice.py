"""Puts a JSON object together from the exact slices of its members: the inverse of `json_text.members`.

What a sender wrote as a value stays as it was written, number by number and escape by escape; only white
space between the members goes, and of a member that was there twice the first.
"""

import json
from collections.abc import Mapping
from functools import lru_cache

import msgspec

_LONGEST_KEPT = 64
"""Longest name that is remembered, so that hostile names cannot fill the memory."""


def joined(fields: Mapping[str, msgspec.Raw]) -> bytes:
    """The text of the object."""
    parts: list[bytes | msgspec.Raw] = []
    for name, value in fields.items():
        parts.append(_kept(name) if len(name) <= _LONGEST_KEPT else _member(name))
        parts.append(value)
    return b"{%b}" % b"".join(parts)[1:]


def extended(text: bytes, added: Mapping[str, msgspec.Raw]) -> bytes:
    """The text of an object with more members, which it does not have yet."""
    more = joined(added)
    if len(more) <= len(b"{}"):
        return text
    return more if not text[1:-1].strip() else b"%b,%b" % (text[:-1], more[1:])


def string(text: str) -> msgspec.Raw:
    """The text of a JSON string."""
    return msgspec.Raw(_string(text))


def _member(name: str) -> bytes:
    return b",%b:" % _string(name)


_kept = lru_cache(1024)(_member)


def _string(text: str) -> bytes:
    try:
        return msgspec.json.encode(text)
    except UnicodeEncodeError:  # a lone surrogate, which only its escape can carry
        return json.dumps(text).encode()
