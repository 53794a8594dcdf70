"""The filters and tests of templates, and how a value becomes text. A filter: one function, one table row.

Jinja's own are used where they are harmless. Ours take the place of those that turn null into "None", that
let a message choose how much memory they take (`center`, `replace`), or that reach Python's attributes
(`attr`). They raise ValueError or TypeError for what cannot be done.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from math import isfinite
from typing import Any, cast
from urllib.parse import quote

from jinja2 import Environment, Undefined, pass_environment
from jinja2 import filters as jinja
from jinja2.tests import TESTS as JINJA_TESTS

from receiver.core import template_codes, template_times

_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_FRACTION = re.compile(r"[.eE]")

MAX_TEXT = 1_000_000
"""Most characters one template, or one filter in it, may produce."""


def plain(value: Any) -> Any:
    """A result of Jinja as JSON: lists for its lazy sequences, None for its undefined."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | Iterator):
        return [plain(item) for item in value]
    if isinstance(value, Undefined):
        return None
    raise TypeError(f"a {type(value).__name__} is no JSON value")


def text(value: Any) -> str:
    """A value inside a text: nothing for null, `true` for true, JSON for lists and objects."""
    if isinstance(value, str):
        return value
    value = plain(value)
    return "" if value is None else to_json(value)


def to_json(value: Any) -> str:
    """Compact JSON; raises ValueError for what JSON cannot say."""
    return json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def default(value: Any, fallback: Any = "", falsy: bool = False) -> Any:
    """`fallback` for null and missing; with `true` as second argument also for everything empty."""
    return fallback if value is None or (falsy and not value) else value


def required(value: Any, message: str = "a required value is null") -> Any:
    """Ends the rendering when the value is null or missing."""
    if value is None:
        raise ValueError(message)
    return value


def _of_text(change: Callable[..., Any]) -> Callable[..., Any]:
    """A filter on text: null stays null, a number is taken as its text."""

    @wraps(change)
    def apply(value: Any, *args: Any, **named: Any) -> Any:
        return None if value is None else change(text(value), *args, **named)

    return apply


def _nullable(change: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that leaves null alone."""

    @wraps(change)
    def apply(value: Any, *args: Any, **named: Any) -> Any:
        return None if value is None else change(value, *args, **named)

    return apply


def bounded(length: int) -> None:
    """Raises ValueError for a text that is longer than any template may make."""
    if length > MAX_TEXT:
        raise ValueError(f"it makes a text of more than {MAX_TEXT} characters")


def _replace(value: str, old: str, new: str) -> str:
    if not old:
        raise ValueError("`replace` needs a text to look for")
    bounded(len(value) + value.count(old) * len(new))
    return value.replace(old, new)


def _split(value: str, separator: str | None = None) -> list[str]:
    return value.split(separator)


def _truncate(value: str, length: int = 255, end: str = "…") -> str:
    return value if len(value) <= length else value[: max(0, length - len(end))] + end


def _quoted(value: str) -> str:
    return quote(value, safe="")


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, Mapping | str) or not isinstance(value, Iterable):
        raise TypeError(f"{text(value)[:40]!r} is no list")
    return list(value)


def _join(values: Any, separator: str = "") -> str:
    texts = [text(value) for value in _list(values)]
    bounded(sum(map(len, texts)) + len(texts) * len(separator))
    return separator.join(texts)


def _first(values: Any) -> Any:
    return next(iter(_list(values)), None)


def _last(values: Any) -> Any:
    return next(reversed(_list(values)), None)


def _length(value: Any) -> int:
    return 0 if value is None else len(plain(value))


@pass_environment
def _map(
    environment: Environment,
    values: Any,
    name: str = "",
    *args: Any,
    attribute: str = "",
    default: Any = None,
) -> list[Any]:
    """The attribute of each, or each through the filter of that name."""
    if not attribute:
        return [environment.call_filter(name, value, args) for value in _list(values)]
    found = [jinja.make_attrgetter(environment, attribute)(value) for value in _list(values)]
    return [default if value is None else value for value in found]


def _sum(values: Any) -> Any:
    return sum(number for number in _list(values) if number is not None)


def _max(values: Any) -> Any:
    return max(_list(values), default=None)


def _min(values: Any) -> Any:
    return min(_list(values), default=None)


@pass_environment
def _sort(
    environment: Environment, values: Any, reverse: bool = False, attribute: str | None = None
) -> list[Any]:
    return jinja.do_sort(environment, _list(values), reverse, attribute=attribute)


@pass_environment
def _unique(environment: Environment, values: Any, attribute: str | None = None) -> list[Any]:
    return list(jinja.sync_do_unique(environment, _list(values), case_sensitive=True, attribute=attribute))


def _round(value: Any, digits: int = 0) -> Any:
    rounded = round(float(value), max(-15, min(digits, 15)))
    return rounded if digits > 0 else int(rounded)


def _float(value: Any, fallback: float | None = None) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return fallback
    return number if isfinite(number) else fallback


def _int(value: Any, fallback: int | None = None) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return _truncated(value, fallback)
    except OverflowError:
        return fallback


def _number(value: Any, fallback: Any = None) -> Any:
    """A number stays what it is; text becomes a whole number where it is written as one."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value.strip()):
        return fallback
    return _float(value, fallback) if _FRACTION.search(value) else _int(value, fallback)


def _truncated(value: Any, fallback: int | None) -> int | None:
    try:
        return int(float(value))
    except (TypeError, ValueError, OverflowError):
        return fallback


FILTERS: dict[str, Callable[..., Any]] = {
    "abs": _nullable(abs),
    "base64": _of_text(template_codes.base64),
    "base64_decode": _of_text(template_codes.base64_decoded),
    "capitalize": _of_text(str.capitalize),
    "date": _nullable(template_times.date),
    "date_minus": _nullable(template_times.minus),
    "date_plus": _nullable(template_times.plus),
    "default": default,
    "first": _first,
    "float": _float,
    "hash": _of_text(template_codes.hashed),
    "hash_email": _of_text(template_codes.hashed_email),
    "int": _int,
    "join": _join,
    "last": _last,
    "length": _length,
    "list": _list,
    "lower": _of_text(str.lower),
    "map": _map,
    "max": _max,
    "min": _min,
    "number": _number,
    "reject": jinja.sync_do_reject,
    "rejectattr": jinja.sync_do_rejectattr,
    "replace": _of_text(_replace),
    "required": required,
    "round": _nullable(_round),
    "seconds_since": _nullable(template_times.since),
    "select": jinja.sync_do_select,
    "selectattr": jinja.sync_do_selectattr,
    "sort": _sort,
    "split": _of_text(_split),
    "string": _of_text(text),
    "sum": _sum,
    "title": _of_text(str.title),
    "tojson": to_json,
    "trim": _of_text(str.strip),
    "truncate": _of_text(_truncate),
    "unique": _unique,
    "upper": _of_text(str.upper),
    "urlencode": _of_text(_quoted),
}

LIKE_FUNCTIONS = frozenset({"base64"})
"""Filters that may be written as `base64(value)` too, as the low-code tools do whose examples people copy."""

_JINJA_TESTS = cast(Mapping[str, Callable[..., Any]], JINJA_TESTS)
_ABOUT_PYTHON = ("callable", "escaped", "filter", "sameas", "test")

TESTS: dict[str, Callable[..., Any]] = {
    **{name: test for name, test in _JINJA_TESTS.items() if name not in _ABOUT_PYTHON},
    "defined": lambda value: value is not None,
    "undefined": lambda value: value is None,
}
