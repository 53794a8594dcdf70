"""What FQL knows of JSON values: their types, when two are equal, and how they are written as text.

Nothing here calls itself, as a message may nest deeper than the stack has room for.
"""

import json
import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

_TYPES = {
    str: "string",
    int: "number",
    float: "number",
    bool: "bool",
    type(None): "null",
    list: "list",
    tuple: "list",
}


def typeof(value: Any) -> str:
    """The name of its type; whatever is none of FQL's is an object."""
    return _TYPES.get(type(value), "object")


def is_number(value: Any) -> bool:
    """Bools are none."""
    kind = type(value)
    return kind is int or kind is float


def equal(one: Any, other: Any) -> bool:
    """Same type and same value; 5 is 5.0, the order of an object's keys counts."""
    left = [(one, other)]
    while left:
        one, other = left.pop()
        kind = typeof(one)
        if kind != typeof(other):
            return False
        if kind == "list":
            if len(one) != len(other):
                return False
            left.extend(zip(one, other, strict=True))
        elif kind == "object" and isinstance(one, dict) and isinstance(other, dict):
            if list(one) != list(other):
                return False
            left.extend(zip(one.values(), other.values(), strict=True))
        elif one != other:
            return False
    return True


def decimal(number: float) -> str | None:
    """The shortest decimal form, without an exponent; None if it has none, being too large for a float."""
    if isinstance(number, float) and not math.isfinite(number):
        return None
    text = f"{Decimal(number) if isinstance(number, int) else Decimal(repr(number)):f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def compact(value: Any) -> str:
    """Compact JSON. Numbers too large for a float are null, as JavaScript writes them."""
    return "".join(_written(value))


class _Mark(str):
    """Text that is JSON already."""

    __slots__ = ()


def _written(value: Any) -> Iterator[str]:
    left = [value]
    while left:
        value = left.pop()
        kind = typeof(value)
        if type(value) is _Mark:
            yield value
        elif kind == "list":
            left.extend(reversed([_Mark("["), *_separated([item] for item in value), _Mark("]")]))
        elif isinstance(value, dict):
            members = ([_Mark(f"{_quoted(str(name))}:"), inner] for name, inner in value.items())
            left.extend(reversed([_Mark("{"), *_separated(members), _Mark("}")]))
        elif kind == "number":
            yield decimal(value) or "null"
        elif kind == "string":
            yield _quoted(value)
        else:
            yield {True: "true", False: "false"}.get(value, "null")


def _separated(groups: Iterator[list[Any]]) -> Iterator[Any]:
    for at, group in enumerate(groups):
        if at:
            yield _Mark(",")
        yield from group


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
