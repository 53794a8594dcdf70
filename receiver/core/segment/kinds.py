"""What a field of Segment's Spec may hold, and the form in which it is sent."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from receiver.core import message
from receiver.core.segment.currencies import CURRENCIES

_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_DIGITS = 40
"""Of a number written as text; longer ones are none."""
_SHOWN = 40
"""Characters of a wrong text that an error repeats."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of value."""

    expected: str
    """For people: `a number such as 19.99`."""
    fit: Callable[[Any], Any]
    """The value as it is sent; None for one that does not fit. It is not asked about None."""
    inside: Mapping[str, "Kind"] = field(default_factory=dict)
    """For objects: the members whose kind is known. Others may be there, and hold anything."""


def fitted(kind: Kind, value: Any, place: str, problems: list[str]) -> Any:
    """The value as it is sent. Notes at `place` what does not fit, and answers it unchanged."""
    made = kind.fit(value)
    if made is None:
        problems.append(misfit(kind, value, place))
        return value
    for name, one in kind.inside.items():
        if made.get(name) is not None:
            made[name] = fitted(one, made[name], f"{place}.{name}", problems)
    return made


def misfit(kind: Kind, value: Any, place: str) -> str:
    """The problem of a value that does not fit."""
    return f"{place}: expected {kind.expected}, got {shown(value)}"


def shown(value: Any) -> str:
    """What a value is, for people; of texts the beginning."""
    if isinstance(value, str):
        return repr(value) if len(value) <= _SHOWN else f"{value[:_SHOWN]!r}…"
    for kinds, name in ((bool, "a boolean"), (int | float, "a number"), (list | tuple, "a list")):
        if isinstance(value, kinds):
            return name
    if value is None:
        return "nothing"
    return "an object" if isinstance(value, Mapping) else type(value).__name__


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else message.text(value)


def _name(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _group(value: Any) -> str | None:
    found = message.text(value)
    return found if found is not None and len(found) <= LONGEST_GROUP_ID else None


def _number(value: Any) -> int | float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        if len(value) > _DIGITS or not _DECIMAL.fullmatch(value):
            return None
        value = float(value) if any(sign in value for sign in ".eE") else int(value)
    if isinstance(value, Decimal):
        value = float(value) if value.is_finite() else None
    return value if isinstance(value, int | float) and math.isfinite(value) else None


def _id_or_number(value: Any) -> str | int | float | None:
    return value if isinstance(value, str) else _number(value)


def _moment(value: Any) -> str | None:
    if isinstance(value, datetime):
        return (value if value.tzinfo is not None else value.replace(tzinfo=UTC)).isoformat()
    try:
        datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return str(value)


def _date(value: Any) -> str | int | float | None:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    return _moment(value) if isinstance(value, str | datetime) else _number(value)


def _currency(value: Any) -> str | None:
    code = value.upper() if isinstance(value, str) else ""
    return code if code in CURRENCIES else None


def _texts(value: Any) -> list[str] | None:
    found = [_text(one) for one in value] if isinstance(value, list | tuple) else [None]
    texts = [one for one in found if one is not None]
    return texts if len(texts) == len(found) else None


def _object(value: Any) -> dict[str, Any] | None:
    return dict(value) if isinstance(value, dict | Mapping) else None


def _switches(value: Any) -> dict[str, Any] | None:
    good = isinstance(value, Mapping) and all(isinstance(one, bool | Mapping) for one in value.values())
    return dict(value) if good else None


LONGEST_GROUP_ID = 500
"""Characters; Unify drops what has more."""

ID = Kind("text or a number", message.text)
GROUP_ID = Kind(f"text of 1 to {LONGEST_GROUP_ID} characters", _group)
NAME = Kind("a name", _name)
TEXT = Kind("text", _text)
NUMBER = Kind("a number such as 19.99", _number)
TEXT_OR_NUMBER = Kind("text or a number", _id_or_number)
MOMENT = Kind("ISO 8601 such as 2026-05-01T12:00:00Z", _moment)
DATE = Kind("a date in ISO 8601 such as 2026-05-01", _date)
CURRENCY = Kind("a currency of ISO 4217 such as EUR", _currency)
TEXTS = Kind("a list of texts", _texts)
OBJECT = Kind("an object", _object)
SWITCHES = Kind("an object of booleans and objects, such as {All: false}", _switches)
ADDRESS = Kind(
    "an object", _object, dict.fromkeys(("city", "country", "postalCode", "state", "street"), TEXT)
)
COMPANY = Kind(
    "an object",
    _object,
    {"name": TEXT, "id": TEXT_OR_NUMBER, "industry": TEXT, "employee_count": NUMBER, "plan": TEXT},
)
