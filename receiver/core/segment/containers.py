"""The traits or properties of a call: what stands flat, in `custom` and in the container, as one object."""

from collections.abc import Iterator, Mapping
from typing import Any

from receiver.core.segment.fields import DEFAULT_CURRENCY, PROPERTIES, TRAITS, Shape
from receiver.core.segment.kinds import OBJECT, fitted


def held(shape: Shape, fields: Mapping[str, Any], place: str, problems: list[str]) -> dict[str, Any] | None:
    """All of them as they are sent; None if there are none. Notes in `problems` what does not fit."""
    container = shape.container
    if container is None:
        return None
    inside = _object(fields, container, place, problems)
    custom = _object(fields, "custom", place, problems)
    flat = {name: value for name, value in fields.items() if name in shape.flat and value is not None}
    if custom:
        for name, sentence in clashes(shape, custom, inside):
            problems.append(f"{place}custom.{name}: {sentence}")
    for name in sorted(flat.keys() & inside.keys()) if flat else ():
        problems.append(f"{place}{name}: stands here and inside {container}; keep one of them")
    if not (inside or custom or flat):
        return None
    whole = {**inside, **custom, **flat}
    for name, value in whole.items():
        kind = shape.typed.get(name)
        if kind is not None and value is not None:
            where = name if name in flat else f"{container}.{name}"
            whole[name] = fitted(kind, value, place + where, problems)
    return _completed(shape, whole)


def clashes(shape: Shape, custom: Mapping[str, Any], inside: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The names in `custom` that cannot stand there, and why."""
    for name in custom:
        reserved = shape.spelled.get(str(name).lower())
        if reserved is not None:
            yield name, f"{reserved} is a reserved name; move it out of custom"
        elif name in inside:
            yield name, f"stands here and inside {shape.container}; keep one of them"


def _object(fields: Mapping[str, Any], name: str, place: str, problems: list[str]) -> dict[str, Any]:
    value = fields.get(name)
    if value is None:
        return {}
    made = fitted(OBJECT, value, place + name, problems)
    return made if isinstance(made, dict) else {}


def _completed(shape: Shape, whole: dict[str, Any]) -> dict[str, Any]:
    """With what Segment itself would take for granted."""
    if shape.reserved is PROPERTIES and whole.get("revenue") is not None and whole.get("currency") is None:
        whole["currency"] = DEFAULT_CURRENCY
    if shape.reserved is TRAITS and whole.get("name") is None:
        first, last = (whole.get(name) or whole.get(other) for name, other in _NAMES)
        if isinstance(first, str) and isinstance(last, str):
            whole["name"] = f"{first} {last}"
    return whole


_NAMES = (("firstName", "first_name"), ("lastName", "last_name"))
