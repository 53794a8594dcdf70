"""The segment step in routes.yaml: one message to Segment."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import Field

from receiver.core.connection_use import check_use
from receiver.core.findings import Findings
from receiver.core.routes_types import Keys, Name, Template
from receiver.core.steps.base import Place, Spec, is_template, leaves
from receiver.core.yaml_nodes import Path

Call = Literal["identify", "track"]

RESERVED_PROPERTIES = ("revenue", "currency", "value")
RESERVED_TRAITS = (
    *("address", "age", "avatar", "birthday", "company", "createdAt", "description", "email", "firstName"),
    *("gender", "id", "lastName", "name", "phone", "title", "username", "website"),
)


_CALL_KEYS = {
    "track": ("properties", RESERVED_PROPERTIES, ("event", "properties", *RESERVED_PROPERTIES)),
    "identify": ("traits", RESERVED_TRAITS, ("traits", *RESERVED_TRAITS)),
}
"""Call → where its reserved fields may stand instead, those fields, and all that only this call has."""
_OBJECTS = ("properties", "traits", "context", "integrations")


def _track(what: str) -> Any:
    return Field(None, description=f"track only, reserved property: {what}.")


def _identify(what: str) -> Any:
    return Field(None, description=f"identify only, reserved trait: {what}.")


class SegmentKeys(Keys):
    """One message to Segment. Its values are templates.

    Reserved traits and properties may stand here or inside `traits` and `properties`, but not in both.
    """

    connection: Name = Field(description="Name of the connection.")
    call: Call = Field(description="Kind of message.")
    userId: Template = Field(
        None, description="Id of the user in your database. It or `anonymousId` is needed."
    )
    anonymousId: Template = Field(None, description="Id of a user who is not known by name.")
    timestamp: Template = Field(None, description="ISO 8601, for the past only. Left out: now.")
    event: Template = Field(None, description="track only: name of the event.")
    properties: Template = Field(None, description="track only: what belongs to the event, an object.")
    traits: Template = Field(None, description="identify only: what is known of the user, an object.")
    context: Template = Field(None, description="Segment's context, an object.")
    integrations: Template = Field(None, description="Which of Segment's destinations get it, an object.")

    revenue: Template = _track("amount of money, a decimal number such as 19.99")
    currency: Template = _track("three letters of ISO 4217; left out: US dollars")
    value: Template = _track("worth without money, a number")

    address: Template = _identify("object with city, country, postalCode, state, street")
    age: Template = _identify("number")
    avatar: Template = _identify("URL of a picture")
    birthday: Template = _identify("date")
    company: Template = _identify("object with name, id, industry, employee_count, plan")
    createdAt: Template = _identify("when the account was created, ISO 8601")
    description: Template = _identify("text")
    email: Template = _identify("e-mail address")
    firstName: Template = _identify("text")
    gender: Template = _identify("text")
    id: Template = _identify("text")
    lastName: Template = _identify("text")
    name: Template = _identify("text; Segment makes it from firstName and lastName")
    phone: Template = _identify("text")
    title: Template = _identify("text")
    username: Template = _identify("text")
    website: Template = _identify("URL")


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentSpec(Spec):
    """Send one message to Segment. Fields in Segment's spelling, all templates; None: left out.

    Reserved traits and properties that stood flat are already inside `traits` and `properties`.
    """

    kind: ClassVar[str] = "segment"
    connection: str
    call: Call
    userId: Any = None
    anonymousId: Any = None
    timestamp: Any = None
    event: Any = None
    traits: Any = None
    properties: Any = None
    context: Any = None
    integrations: Any = None


def check(path: Path, step: Any, data: Mapping[str, Any], findings: Findings) -> None:
    """Its connection, its reserved fields, and what its call needs."""
    if not isinstance(step, dict):
        return
    check_use((*path, "connection"), step.get("connection"), "tracking", data, findings)
    for key in _OBJECTS:
        if not isinstance(step.get(key), dict | None) and not is_template(step.get(key)):
            findings.error((*path, key), "must be a mapping, or one template that makes an object")
    call = step.get("call")
    if isinstance(call, str) and call in _CALL_KEYS:
        _check_call(path, call, step, findings)


def _check_call(path: Path, call: str, step: dict[str, Any], findings: Findings) -> None:
    container, reserved, own = _CALL_KEYS[call]
    other = "identify" if call == "track" else "track"
    for key in step:
        if key in _CALL_KEYS[other][2] and key not in own:
            findings.error((*path, key), f"belongs to {other} calls; put it inside {container}, or remove it")
    if call == "track" and step.get("event") is None:
        findings.error((*path, "event"), "is required: a track call needs the name of the event")
    if step.get("userId") is None and step.get("anonymousId") is None:
        findings.error(path, "needs userId or anonymousId: whom is the message about?")
    inside = step.get(container)
    for key in reserved:
        if key in step and isinstance(inside, dict) and key in inside:
            findings.error((*path, key), f"stands here and inside {container}; keep one of them")
        elif key in step and is_template(inside):
            findings.error(
                (*path, key), f"may be inside {container} too, which is a template; put both into a mapping"
            )


def templates(path: Path, step: Any) -> Iterator[Place]:
    """Those of every field of the message."""
    for key, value in step.items() if isinstance(step, dict) else ():
        if key in ("userId", "anonymousId") and value is not None:
            yield (*path, key), value, "id"
        elif key not in ("connection", "call"):
            yield from leaves((*path, key), value)


def build(keys: SegmentKeys) -> SegmentSpec:
    """The record of a segment step."""
    return SegmentSpec(
        connection=keys.connection,
        call=keys.call,
        userId=keys.userId,
        anonymousId=keys.anonymousId,
        timestamp=keys.timestamp,
        event=keys.event,
        traits=_with_flat(keys, keys.traits, RESERVED_TRAITS),
        properties=_with_flat(keys, keys.properties, RESERVED_PROPERTIES),
        context=keys.context,
        integrations=keys.integrations,
    )


def _with_flat(keys: SegmentKeys, inside: Any, reserved: Iterable[str]) -> Any:
    """`properties` or `traits` together with the fields that stood flat."""
    flat = {name: getattr(keys, name) for name in reserved if name in keys.model_fields_set}
    return {**(inside or {}), **flat} if flat else inside
