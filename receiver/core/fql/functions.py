"""The functions of FQL. None of them raises: an argument of a wrong type has a result too."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from receiver.core.fql.tokens import number as number_of
from receiver.core.fql.values import compact, decimal, is_number, typeof
from receiver.core.globs import Glob, GlobError, compile_glob

LONGEST_PATTERN = 256
"""Most characters of a pattern that a message brings, as its sender must not choose how long we look for it:
longer ones fit nothing. Those of the statement itself are bounded by its length."""

_DECIMAL = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_DIGITS = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Function:
    """What can be called."""

    takes: tuple[str, ...]
    """The names of its arguments."""
    apply: Callable[..., Any]
    gives: str
    """The type of its result, if it is not null."""


def contains(text: Any, part: Any) -> bool:
    return isinstance(text, str) and isinstance(part, str) and part in text


def match(text: Any, pattern: Any) -> bool:
    if not isinstance(text, str) or not isinstance(pattern, str):
        return False
    glob = glob_of(pattern) if len(pattern) <= LONGEST_PATTERN else None
    return glob is not None and glob.match(text)


@lru_cache(maxsize=256)
def glob_of(pattern: str) -> Glob | None:
    """The compiled pattern; None if it is malformed."""
    try:
        return compile_glob(pattern)
    except GlobError:
        return None


def length(value: Any) -> int | None:
    if value is None:
        return 0
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass"))
    return len(value) if isinstance(value, list) else None


def to_bool(value: Any) -> bool:
    if isinstance(value, str):
        return value not in ("", "0") and value.lower() != "false"
    return bool(value)


def to_string(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return decimal(value) if is_number(value) else compact(value)


def to_number(value: Any) -> int | float | None:
    if isinstance(value, str):
        return number_of(value) if _DECIMAL.fullmatch(value) else None
    return value if is_number(value) else None


def semver(version: Any, operator: Any, other: Any) -> bool:
    one, two = _version(version), _version(other)
    if one is None or two is None:
        return False
    order = (one > two) - (one < two)
    return isinstance(operator, str) and order in SEMVER_ORDERS.get(operator, ())


SEMVER_ORDERS: Mapping[str, tuple[int, ...]] = {
    "=": (0,),
    "!=": (-1, 1),
    "<": (-1,),
    "<=": (-1, 0),
    ">": (1,),
    ">=": (0, 1),
}
"""Operator of `semver` → whether the first version may be lower (-1), equal (0) or higher (1)."""


def _version(text: Any) -> list[tuple[int, str]] | None:
    """Three parts, each as its number of digits and the digits: ordered like numbers, however long."""
    parts = text.split(".") if isinstance(text, str) else []
    found = [_DIGITS.match(part) for part in parts]
    digits = [one[0].lstrip("0") for one in found if one]
    if not 1 <= len(parts) <= 3 or len(digits) < len(parts):
        return None
    return [(len(one), one) for one in (*digits, "", "")][:3]


def _of_text(change: Callable[[str], str]) -> Callable[[Any], str | None]:
    """A function of a text; of anything else it makes null."""
    return lambda value: change(value) if isinstance(value, str) else None


def _titlecase(text: str) -> str:
    return " ".join(word[:1].upper() + word[1:] for word in text.split(" "))


FUNCTIONS: Mapping[str, Function] = {
    "contains": Function(("text", "part"), contains, "bool"),
    "match": Function(("text", "pattern"), match, "bool"),
    "length": Function(("value",), length, "number"),
    "lowercase": Function(("text",), _of_text(str.lower), "string"),
    "uppercase": Function(("text",), _of_text(str.upper), "string"),
    "snakecase": Function(("text",), _of_text(lambda text: text.replace(" ", "_")), "string"),
    "kebabcase": Function(("text",), _of_text(lambda text: text.replace(" ", "-")), "string"),
    "titlecase": Function(("text",), _of_text(_titlecase), "string"),
    "typeof": Function(("value",), typeof, "string"),
    "bool": Function(("value",), to_bool, "bool"),
    "string": Function(("value",), to_string, "string"),
    "number": Function(("value",), to_number, "number"),
    "semver": Function(("version", "operator", "other"), semver, "bool"),
}
"""By name; names are case-sensitive."""
