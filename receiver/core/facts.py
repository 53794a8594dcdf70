"""What a message says about itself, for filters, deduplication and look-up by user.

Read from the slices of its top-level fields; nothing else of it is parsed. Intake, replay and `explain` must
see the same facts, so all read them here.
"""

from typing import Any
from zlib import crc32

from receiver.core import json_text
from receiver.core.channel import Channel, derive
from receiver.core.filters import Facts
from receiver.core.message import text
from receiver.core.validity import problems

DIGEST_BYTES = 4
_DELIVERY_FIELDS = ("sentAt", "receivedAt", "_metadata")
"""They differ each time the same message is sent."""

Fields = json_text.Fields
"""Top-level fields of a message: `receiver.core.json_text.members`."""


def facts(fields: Fields, *, with_channel: bool) -> Facts:
    """What filters look at; without the channel, its context is not parsed."""
    return Facts(
        type=_name(fields, "type"),
        event=_name(fields, "event"),
        channel=derive(_value(fields, "channel"), _value(fields, "context"))
        if with_channel
        else Channel.UNKNOWN,
        problems=problems(fields),
    )


def message_id(fields: Fields) -> str | None:
    """Segment's messageId; SDKs send numbers too."""
    return text(_value(fields, "messageId"))


def owner(fields: Fields) -> str | None:
    """The userId; some deletion requests spell it `userID`."""
    return text(_value(fields, "userId")) or text(_value(fields, "userID"))


def users(fields: Fields) -> tuple[str, ...]:
    """userId and anonymousId, where they are there."""
    user, anonymous = owner(fields), text(_value(fields, "anonymousId"))
    if user is None or user == anonymous:
        return () if anonymous is None else (anonymous,)
    return (user,) if anonymous is None else (user, anonymous)


def content_digest(fields: Fields) -> bytes:
    """Tells a message sent again from another one under the same messageId. White space and order count.

    A checksum is enough: it is compared only where the messageId is the same. JSON text holds no NUL, so
    neither two values nor the names and the values can run into each other.
    """
    content = dict(fields)
    for name in _DELIVERY_FIELDS:
        content.pop(name, None)
    names = "\0".join(content).encode("utf-8", "surrogatepass")
    return crc32(b"\0".join((names, *content.values()))).to_bytes(DIGEST_BYTES, "big")


def _value(fields: Fields, name: str) -> Any:
    found = fields.get(name)
    return None if found is None else json_text.value(found)


def _name(fields: Fields, name: str) -> str | None:
    found = _value(fields, name)
    return found if isinstance(found, str) else None
