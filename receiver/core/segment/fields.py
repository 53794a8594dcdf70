"""Which fields each of Segment's calls has, by the Spec: its own, and the reserved names in its container.

A reserved trait or property stands in `traits` or `properties`; it may also be written flat, beside them,
unless the call has a field of its own by that name (`name` of a page).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

from receiver.core.segment.kinds import (
    ADDRESS,
    COMPANY,
    CURRENCY,
    DATE,
    GROUP_ID,
    ID,
    MOMENT,
    NAME,
    NUMBER,
    OBJECT,
    SWITCHES,
    TEXT,
    TEXT_OR_NUMBER,
    TEXTS,
    Kind,
)

Call: TypeAlias = Literal["identify", "track", "page", "screen", "group", "alias"]
CALLS: tuple[Call, ...] = get_args(Call)

COMMON: Mapping[str, Kind] = {
    "userId": ID,
    "anonymousId": ID,
    "timestamp": MOMENT,
    "context": OBJECT,
    "integrations": SWITCHES,
}
"""Fields of every call."""

TRAITS: Mapping[str, Kind] = {
    "address": ADDRESS,
    "age": NUMBER,
    "avatar": TEXT,
    "birthday": DATE,
    "company": COMPANY,
    "createdAt": DATE,
    "description": TEXT,
    "email": TEXT,
    "firstName": TEXT,
    "gender": TEXT,
    "id": TEXT,
    "lastName": TEXT,
    "name": TEXT,
    "phone": TEXT,
    "title": TEXT,
    "username": TEXT,
    "website": TEXT,
}
GROUP_TRAITS: Mapping[str, Kind] = {
    "address": ADDRESS,
    "avatar": TEXT,
    "createdAt": DATE,
    "description": TEXT,
    "email": TEXT,
    "employees": TEXT_OR_NUMBER,
    "id": TEXT,
    "industry": TEXT,
    "name": TEXT,
    "phone": TEXT,
    "plan": TEXT,
    "website": TEXT,
}
PROPERTIES: Mapping[str, Kind] = {"revenue": NUMBER, "currency": CURRENCY, "value": NUMBER}
PAGE_PROPERTIES: Mapping[str, Kind] = {
    "name": TEXT,
    "path": TEXT,
    "referrer": TEXT,
    "search": TEXT,
    "title": TEXT,
    "url": TEXT,
    "keywords": TEXTS,
}
SCREEN_PROPERTIES: Mapping[str, Kind] = {"name": TEXT}

SPELLINGS: Mapping[str, str] = {"first_name": "firstName", "last_name": "lastName", "created_at": "createdAt"}
"""The other way in which Segment takes a reserved trait."""
DEFAULT_CURRENCY = "USD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What one call may hold."""

    direct: Mapping[str, Kind]
    """COMMON, and fields of its own."""
    required: tuple[str, ...]
    container: Literal["traits", "properties"] | None
    reserved: Mapping[str, Kind]
    """Of the container."""
    spelled: Mapping[str, str]
    """What stands for a reserved name, in lower case → that name."""
    typed: Mapping[str, Kind]
    """Every exact spelling of a reserved name."""
    flat: frozenset[str]
    """Reserved names that may stand beside the container."""
    known: frozenset[str]
    """Every field that the call may have."""


def _shape(
    *,
    own: Mapping[str, Kind] = MappingProxyType({}),
    required: tuple[str, ...] = (),
    container: Literal["traits", "properties"] | None = None,
    reserved: Mapping[str, Kind] = MappingProxyType({}),
) -> Shape:
    others = {other: name for other, name in SPELLINGS.items() if name in reserved}
    flat = frozenset(reserved.keys() - own.keys())
    held = () if container is None else (container, "custom")
    return Shape(
        direct={**COMMON, **own},
        required=required,
        container=container,
        reserved=reserved,
        spelled={**{name.lower(): name for name in reserved}, **others},
        typed={**reserved, **{other: reserved[name] for other, name in others.items()}},
        flat=flat,
        known=frozenset({*COMMON, *own, *held, *flat, "messageId"}),
    )


SHAPES: Mapping[Call, Shape] = {
    "identify": _shape(container="traits", reserved=TRAITS),
    "track": _shape(own={"event": NAME}, required=("event",), container="properties", reserved=PROPERTIES),
    "page": _shape(own={"name": TEXT, "category": TEXT}, container="properties", reserved=PAGE_PROPERTIES),
    "screen": _shape(
        own={"name": TEXT, "category": TEXT}, container="properties", reserved=SCREEN_PROPERTIES
    ),
    "group": _shape(
        own={"groupId": GROUP_ID}, required=("groupId",), container="traits", reserved=GROUP_TRAITS
    ),
    "alias": _shape(own={"previousId": ID}, required=("userId", "previousId")),
}
