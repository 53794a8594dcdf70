"""Segment's calls on their way out: checked before they are sent, because a 200 of Segment proves nothing.

Segment answers 200 to a message without an id or with an event that is no text, and drops it afterwards. All
problems are reported at once, each naming its field in Segment's spelling. The rules are those of the Spec:
https://www.twilio.com/docs/segment/connections/spec
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import msgspec

from receiver.core import exact_json, release
from receiver.core.findings import suggestion
from receiver.core.segment.containers import held
from receiver.core.segment.fields import SHAPES, Call, Shape
from receiver.core.segment.kinds import fitted

MAX_CALL = 32 * 1024
"""Bytes of one message."""
MAX_MESSAGE_ID = 100


class InvalidCall(ValueError):
    """A call that Segment would refuse or drop."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        """Each begins with the field it is about."""
        super().__init__("; ".join(self.problems))


class Encoded(msgspec.Struct, frozen=True):
    """A checked call as JSON, but for its messageId."""

    body: bytes
    message_id: str | None = None
    """The one its maker gave it."""

    @property
    def content(self) -> bytes:
        """What it says, whichever release of Hookyard says it: an id made of it outlives an update."""
        return self.body.replace(exact_json.dumps(_library()), b"", 1)

    def item(self, message_id: str) -> bytes:
        """The whole message, as it stands in a batch; `message_id` is for one that has none of its own.

        Raises InvalidCall for what is too large.
        """
        used = message_id if self.message_id is None else self.message_id
        whole = b'{"messageId":' + exact_json.dumps(used) + b"," + self.body[1:]
        if len(whole) > MAX_CALL:
            raise InvalidCall([f"the message has {len(whole):,} bytes, Segment takes {MAX_CALL:,}"])
        return whole


def encode(call: Call, fields: Mapping[str, Any]) -> Encoded:
    """One call, of fields in Segment's spelling. None is the same as a field that is not there.

    Reserved traits and properties may stand flat, and others in `custom`. Raises InvalidCall.
    """
    problems: list[str] = []
    encoded = checked(call, fields, "", problems)
    if problems:
        raise InvalidCall(problems)
    return encoded


def checked(call: Call, fields: Mapping[str, Any], place: str, problems: list[str]) -> Encoded:
    """`encode`, noting problems with `place` before the names of fields; the answer is good without any."""
    shape = SHAPES[call]
    message: dict[str, Any] = {"type": call}
    for name, kind in shape.direct.items():
        value = fields.get(name)
        if value is not None and not (isinstance(value, str) and not value):
            message[name] = fitted(kind, value, place + name, problems)
    _check_names(call, shape, fields, place, problems)
    _check_required(call, shape, message, place, problems)
    container = held(shape, fields, place, problems)
    if shape.container is not None and container is not None:
        message[shape.container] = container
    context = message.get("context")
    message["context"] = {"library": _library(), **(context if isinstance(context, dict) else {})}
    return Encoded(_json(message, place, problems), _message_id(fields, place, problems))


def _check_names(
    call: Call, shape: Shape, fields: Mapping[str, Any], place: str, problems: list[str]
) -> None:
    if fields.keys() <= shape.known:
        return
    for name in fields:
        if name not in shape.known and fields[name] is not None:
            known = suggestion(str(name), sorted(shape.known))
            problems.append(f"{place}{name}: {call} calls have no such field{known}")


def _check_required(
    call: Call, shape: Shape, message: Mapping[str, Any], place: str, problems: list[str]
) -> None:
    for name in shape.required:
        if name not in message:
            problems.append(f"{place}{name}: is required by {call} calls")
    if "userId" not in shape.required and not ("userId" in message or "anonymousId" in message):
        problems.append(f"{place}userId, {place}anonymousId: one of them is needed")


def _message_id(fields: Mapping[str, Any], place: str, problems: list[str]) -> str | None:
    given = fields.get("messageId")
    if given is None:
        return None
    if isinstance(given, str) and 0 < len(given) <= MAX_MESSAGE_ID:
        return given
    problems.append(f"{place}messageId: expected text of 1 to {MAX_MESSAGE_ID} characters")
    return None


def _json(message: Mapping[str, Any], place: str, problems: list[str]) -> bytes:
    try:
        return exact_json.dumps(message)
    except exact_json.NotJson as error:
        problems.append(f"{place or 'the message'}: a value cannot be said in JSON: {error}")
        return b""


@cache
def _library() -> Mapping[str, str]:
    return {"name": "hookyard", "version": release.number()}
