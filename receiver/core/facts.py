"""What a message says about itself, for filters, deduplication and look-up by user.

Read from the slices of its top-level fields; nothing else of it is parsed. Intake, replay and `explain` must
see the same facts, so all read them here.
"""

from zlib import crc32

from receiver.core import json_text
from receiver.core.channel import Channel, derive
from receiver.core.filters import Facts
from receiver.core.message import text
from receiver.core.validity import NAMES, Said, judged

DIGEST_BYTES = 4
_DELIVERY_FIELDS = ("sentAt", "receivedAt", "_metadata")
"""They differ each time the same message is sent."""

_USERS = ("userId", "userID", "anonymousId")
_NAMES = (*dict.fromkeys((*NAMES, *_USERS, "messageId")),)

Fields = json_text.Fields
"""Top-level fields of a message: `receiver.core.json_text.members`."""


def facts(fields: Fields, *, with_channel: bool) -> Facts:
    """All of them at once; without the channel, its context is not parsed."""
    said = json_text.values(fields, _NAMES)
    kind, event = said.get("type"), said.get("event")
    return Facts(
        type=kind if isinstance(kind, str) else None,
        event=event if isinstance(event, str) else None,
        channel=_channel(fields) if with_channel else Channel.UNKNOWN,
        message_id=text(said.get("messageId")),
        users=_users(said),
        problems=judged(fields, said),
    )


def message_id(fields: Fields) -> str | None:
    """Segment's messageId; SDKs send numbers too."""
    return text(json_text.values(fields, ("messageId",)).get("messageId"))


def owner(fields: Fields) -> str | None:
    """The userId; some deletion requests spell it `userID`."""
    return _owner(json_text.values(fields, _USERS))


def users(fields: Fields) -> tuple[str, ...]:
    """userId and anonymousId, where they are there."""
    return _users(json_text.values(fields, _USERS))


def _users(said: Said) -> tuple[str, ...]:
    user, anonymous = _owner(said), text(said.get("anonymousId"))
    if user is None or user == anonymous:
        return () if anonymous is None else (anonymous,)
    return (user,) if anonymous is None else (user, anonymous)


def _owner(said: Said) -> str | None:
    return text(said.get("userId")) or text(said.get("userID"))


def _channel(fields: Fields) -> Channel:
    said = json_text.values(fields, ("channel", "context"))
    return derive(said.get("channel"), said.get("context"))


def content_digest(fields: Fields) -> bytes:
    """Tells a message sent again from another one under the same messageId. White space and order count.

    A checksum is enough: it is compared only where the messageId is the same. JSON text holds no NUL, so
    neither two values nor the names and the values can run into each other.
    """
    content = dict(fields)
    for name in _DELIVERY_FIELDS:
        content.pop(name, None)
    names = "\0".join([*content, ""]).encode("utf-8", "surrogatepass")
    return crc32(b"\0".join(content.values()), crc32(names)).to_bytes(DIGEST_BYTES, "big")
