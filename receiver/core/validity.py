"""What Segment would reject a message for after its 200, by the codes of its own Delivery Overview.

A pure judgement of a message's top-level fields: nothing is refused or marked here. What has no type, or one
that is not of the six calls of the Spec, is not judged: webhooks carry any JSON, and `delete` has odd forms.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, get_args

from receiver.core import json_text
from receiver.core.json_text import Fields

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
NAMES = ("type", "event", "userId", "anonymousId", "name", "category")
"""Members that are read to judge; they are short. Of others the first byte is enough."""
Said = Mapping[str, Any]
"""What members of a message hold: `receiver.core.json_text.values`."""

MEANINGS: Mapping[str, str] = {
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
    return judged(fields, json_text.values(fields, NAMES))


def judged(fields: Fields, said: Said) -> tuple[Code, ...]:
    """`problems`, for whoever has read what the members in NAMES say."""
    kind = said.get("type")
    judge = _JUDGES.get(kind) if isinstance(kind, str) else None
    if judge is None:
        return ()
    found = _of_ids(said) + judge(fields, said)
    return tuple(code for code in CODES if code in found) if found else ()


def sentence(codes: Iterable[str]) -> str:
    """What is wrong, for people: `id_required (a group call without groupId, …)`."""
    return ", ".join(f"{code} ({MEANINGS[code]})" for code in codes)


def _of_ids(said: Said) -> list[Code]:
    user, anonymous = said.get("userId"), said.get("anonymousId")
    if user is None and anonymous is None:
        return ["no_user_anon_id"]
    return ["id_not_string"] if _no_text(user) or _no_text(anonymous) else []


def _track(fields: Fields, said: Said) -> list[Code]:
    event = said.get("event")
    found = _object(fields, "properties", "properties_not_object")
    if event is None or event == "":
        found.append("event_not_defined")
    elif not isinstance(event, str):
        found.append("event_not_string")
    return found


def _page(fields: Fields, said: Said) -> list[Code]:
    found = _object(fields, "properties", "properties_not_object")
    if _no_text(said.get("name")):
        found.append("name_not_string")
    if _no_text(said.get("category")):
        found.append("category_not_string")
    return found


def _identify(fields: Fields, said: Said) -> list[Code]:
    return _object(fields, "traits", "traits_not_object")


def _group(fields: Fields, said: Said) -> list[Code]:
    return _required(fields, "groupId") + _identify(fields, said)


def _alias(fields: Fields, said: Said) -> list[Code]:
    return _required(fields, "userId") if _there(fields, "anonymousId") else []


_JUDGES: Mapping[str, Callable[[Fields, Said], list[Code]]] = {
    "track": _track,
    "page": _page,
    "screen": _page,
    "identify": _identify,
    "group": _group,
    "alias": _alias,
}


def _required(fields: Fields, name: str) -> list[Code]:
    return [] if _there(fields, name) else ["id_required"]


def _there(fields: Fields, name: str) -> bool:
    return _first(fields, name) not in _NONE


def _object(fields: Fields, name: str, code: Code) -> list[Code]:
    if _first(fields, name) in _OBJECT_OR_NONE or bytes(fields[name]) == _OBJECT_OF_FORM:
        return []
    return [code]


def _no_text(value: Any) -> bool:
    """Whether it is there and is no text, or an empty one."""
    return value is not None and not (value and isinstance(value, str))


_NONE = (None, ord("n"))
_OBJECT_OR_NONE = (*_NONE, ord("{"))
_OBJECT_OF_FORM = b'"[object Object]"'
"""All that is left of an object where a mapping sends a form: it was one."""


def _first(fields: Fields, name: str) -> int | None:
    """The first byte of a value tells its kind; `n` begins null only."""
    found = fields.get(name)
    return None if found is None else memoryview(found)[0]
