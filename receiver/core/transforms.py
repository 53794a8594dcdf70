"""What transform steps do to a parsed message: the actions of Segment's destination filters, and two of ours.

Pure functions over a mapping that they change in place. Where Segment's documents leave something open this
follows what its own evaluator does in the browser (`drop`, `sample`, `block` and `allow`).
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from receiver.core.fql.values import compact

Fields = Mapping[str, Sequence[str]]
"""Path of an object → keys in it. The path `""` is the message itself; keys are literal, without descent."""

_NAME = re.compile(r"((?:\\.|[^.\\])+)(?:\.|$)", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


class NotAnObject(ValueError):
    """A value cannot be put where something other than an object is in the way."""


def names_of(path: str) -> tuple[str, ...]:
    r"""`"properties.order_id"` → its names; a dot inside a name is written `\.`, as in FQL."""
    return tuple(_ESCAPE.sub(r"\1", name) for name in _NAME.findall(path))


def value_at(message: Mapping[str, Any], path: str) -> Any:
    """The value there, null where the path leads nowhere; digits choose an element of a list."""
    value: Any = message
    for name in names_of(path):
        if isinstance(value, Mapping):
            value = value.get(name)
        elif isinstance(value, list) and name.isascii() and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def share(value: Any) -> float:
    """Where a value stands between 0 and 1: the same for the same value, so that it is in a sample or not.

    The first 8 bytes of the MD5 of its compact JSON, as Segment describes it: `"user-1"` is at 0.717.
    """
    text = compact(value).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.md5(text, usedforsecurity=False).digest()[:8], "big") / 2**64


def block(message: dict[str, Any], fields: Fields) -> None:
    """Take the listed keys out of each of the objects."""
    _each(message, fields, lambda target, keys: [target.pop(key, None) for key in keys])


def allow(message: dict[str, Any], fields: Fields) -> None:
    """Take every key that is not listed out of each of the objects; objects that are not named stay whole."""
    _each(message, fields, lambda target, keys: [target.pop(key) for key in list(target) if key not in keys])


def put(message: dict[str, Any], path: str, value: Any) -> None:
    """Set a value; objects on the way that are missing or null are made. Raises NotAnObject."""
    *above, last = names_of(path)
    target = message
    for name in above:
        if target.get(name) is None:
            target[name] = {}
        target = target[name]
        if not isinstance(target, dict):
            raise NotAnObject(f"{path} cannot be set: {name} is no object")
    target[last] = value


def rename(message: dict[str, Any], path: str, new: str) -> None:
    """Move the value at `path`; nothing happens where there is none. Raises NotAnObject."""
    *above, last = names_of(path)
    target: Any = message
    for name in above:
        target = target.get(name) if isinstance(target, dict) else None
    if isinstance(target, dict) and last in target:
        value = target.pop(last)
        put(message, new, value)


def _each(
    message: dict[str, Any], fields: Fields, change: Callable[[dict[str, Any], Sequence[str]], object]
) -> None:
    for path, keys in fields.items():
        for target in objects(message, path):
            change(target, keys)


def objects(message: dict[str, Any], path: str) -> Iterator[dict[str, Any]]:
    """The object at a path, or each object of the list there; a list on the way is not crossed."""
    target: Any = message
    for name in names_of(path):
        target = target.get(name) if isinstance(target, dict) else None
    for one in target if isinstance(target, list) else [target]:
        if isinstance(one, dict):
            yield one
