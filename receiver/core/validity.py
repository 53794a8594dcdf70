"""What Segment would reject a message for after its 200, by the codes of its own Delivery Overview.

A pure judgement of a message's top-level fields: nothing is refused or marked here. What has no type, or one
that is not of the six calls of the Spec, is not judged: webhooks carry any JSON, and `delete` has odd forms.
"""

from collections.abc import Callable, Mapping
from typing import Literal, get_args

import msgspec

from receiver.core import json_text
from receiver.core.facts import Fields

Code = Literal[
    "no_user_anon_id",
    "id_required",
    "id_not_string",
    "event_not_defined",
    "event_not_string",
    "properties_not_object",
    "traits_not_object",
    "name_not_string",
    "category_not_string",
]
CODES: tuple[Code, ...] = get_args(Code)
MEANINGS: Mapping[Code, str] = {
    "no_user_anon_id": "neither userId nor anonymousId is there",
    "id_required": "a group call without groupId, or an alias call without userId",
    "id_not_string": "userId or anonymousId is empty or not a string",
    "event_not_defined": "a track call without the name of its event",
    "event_not_string": "the name of the event is not a string",
    "properties_not_object": "properties are there, but are no object",
    "traits_not_object": "traits are there, but are no object",
    "name_not_string": "the name of a page or screen is empty or not a string",
    "category_not_string": "the category of a page or screen is empty or not a string",
}
"""For people."""


def problems(fields: Fields) -> tuple[Code, ...]:
    """Everything that speaks against the message, in the order of `Code`; empty when it is good. Null is the
    same as not being there."""
    judge = _JUDGES.get(_type(fields))
    if judge is None:
        return ()
    found = {*_of_ids(fields), *judge(fields)}
    return tuple(code for code in CODES if code in found) if found else ()


def _of_ids(fields: Fields) -> list[Code]:
    found: list[Code] = []
    if not _there(fields, "userId") and not _there(fields, "anonymousId"):
        found.append("no_user_anon_id")
    if not (_text_or_none(fields, "userId") and _text_or_none(fields, "anonymousId")):
        found.append("id_not_string")
    return found


def _track(fields: Fields) -> list[Code]:
    found: list[Code] = []
    if not _there(fields, "event") or bytes(fields["event"]) == b'""':
        found.append("event_not_defined")
    elif not _text_or_none(fields, "event"):
        found.append("event_not_string")
    return found + _object(fields, "properties", "properties_not_object")


def _page(fields: Fields) -> list[Code]:
    found = _object(fields, "properties", "properties_not_object")
    if not _text_or_none(fields, "name"):
        found.append("name_not_string")
    if not _text_or_none(fields, "category"):
        found.append("category_not_string")
    return found


def _identify(fields: Fields) -> list[Code]:
    return _object(fields, "traits", "traits_not_object")


def _group(fields: Fields) -> list[Code]:
    return _required(fields, "groupId") + _identify(fields)


def _alias(fields: Fields) -> list[Code]:
    return _required(fields, "userId") if _there(fields, "anonymousId") else []


_JUDGES: Mapping[str | None, Callable[[Fields], list[Code]]] = {
    "track": _track,
    "page": _page,
    "screen": _page,
    "identify": _identify,
    "group": _group,
    "alias": _alias,
}


def _type(fields: Fields) -> str | None:
    found = json_text.value(fields["type"]) if "type" in fields else None
    return found if isinstance(found, str) else None


def _required(fields: Fields, name: str) -> list[Code]:
    return [] if _there(fields, name) else ["id_required"]


def _object(fields: Fields, name: str, code: Code) -> list[Code]:
    return [] if not _there(fields, name) or _first(fields[name]) == b"{" else [code]


def _text_or_none(fields: Fields, name: str) -> bool:
    """Whether it is a text that is not empty, or not there."""
    if not _there(fields, name):
        return True
    return _first(fields[name]) == b'"' and len(memoryview(fields[name])) > 2


def _there(fields: Fields, name: str) -> bool:
    found = fields.get(name)
    return found is not None and _first(found) != b"n"


def _first(value: msgspec.Raw) -> bytes:
    """The first byte of a value tells its kind; `n` begins null only."""
    return memoryview(value)[:1].tobytes()
