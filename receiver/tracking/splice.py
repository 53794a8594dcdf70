"""Puts a JSON object together from the exact slices of its members: the inverse of `json_text.members`.

What a sender wrote as a value stays as it was written, number by number and escape by escape; only white
space between the members goes, and of a member that was there twice the first.
"""

import json
from collections.abc import Mapping
from functools import lru_cache

import msgspec

_MOST_KEPT = 32
"""Most members of an object whose names are remembered."""


def joined(fields: Mapping[str, msgspec.Raw]) -> bytes:
    """The text of the object."""
    names = tuple(fields)
    parts: list[bytes | msgspec.Raw] = [b""] * (2 * len(names) + 1)
    parts[::2] = _kept(names) if len(names) <= _MOST_KEPT else _frame(names)
    parts[1::2] = fields.values()
    return b"".join(parts)


def extended(text: bytes, added: Mapping[str, msgspec.Raw]) -> bytes:
    """The text of an object with more members, which it does not have yet."""
    if b'"' not in text:  # no member without a name
        return joined(added)
    parts: list[bytes | msgspec.Raw] = [text[:-1]]
    for name, value in added.items():
        parts += (b",%b:" % _string(name), value)
    parts.append(b"}")
    return b"".join(parts)


def string(text: str) -> msgspec.Raw:
    """The text of a JSON string."""
    return msgspec.Raw(_string(text))


def _frame(names: tuple[str, ...]) -> list[bytes]:
    """What stands before each value, and after the last."""
    opened = [b"%b%b:" % (b"," if at else b"{", _string(name)) for at, name in enumerate(names)]
    return [*opened, b"}"] if names else [b"{}"]


_kept = lru_cache(256)(_frame)
"""A sender's messages mostly have the same fields."""


def _string(text: str) -> bytes:
    try:
        return msgspec.json.encode(text)
    except UnicodeEncodeError:  # a lone surrogate, which only its escape can carry
        return json.dumps(text).encode()
