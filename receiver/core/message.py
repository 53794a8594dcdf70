"""The records both sides share: a message on its way in, as stored, and what became of it on each route.

Frozen msgspec structs: as cheap to make as a tuple, which matters for one per message. This module must not
know Redis (see `store`) nor how bodies are parsed (see `receiver.split`).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

SEGMENT_FIELDS = (
    *("type", "messageId", "userId", "anonymousId", "groupId", "previousId", "event", "name", "category"),
    *("properties", "traits", "context", "integrations", "channel", "version", "projectId", "writeKey"),
    *("timestamp", "originalTimestamp", "sentAt", "receivedAt"),
)
"""What Segment's messages have. Others may come; a name that is nearly one of these is probably a slip."""


class NewMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A verified message that asks to be stored. `receiver.intake` makes it, the committer stores it."""

    body: bytes
    """The exact bytes that arrived; for a batch element its slice of the batch."""
    source: str
    path: str
    """The path under /hooks it came in by, without slashes at the ends."""
    covered: bool
    """Whether the signature covers it; only element 0 of a signed batch is (segment.md 1.5)."""
    message_id: str | None
    """Segment's messageId; None is never a repeat."""
    content: bytes
    """Digest of the body without sentAt, receivedAt and _metadata: tells a repeat from another message."""
    users: tuple[str, ...]
    """userId and anonymousId, for look-up by user."""
    routes: tuple[str, ...]
    """Names of the routes it matched."""
    order: tuple[tuple[str, str], ...] = ()
    """Its ordering key on each of those routes that has one."""
    problems: tuple[str, ...] = ()
    """What Segment would reject it for, to be counted; not stored, as its body says it."""
    orders_purge: bool = False
    """Whether what is stored of its user shall be deleted."""
    settings: str = ""
    """Of a partner subscription's customer: a JSON object in base64."""


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """What the store did with a `NewMessage`; the 200 goes out only after this exists."""

    number: int
    """Running number n of the stored message (of the first one, for a repeat)."""
    repeat: bool = False
    same_id_as: int | None = None
    """Number of an earlier message with this messageId but another body."""


class Status(StrEnum):
    """Of a delivery. *held* is derived, never stored."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    DELIVERED = "delivered"
    DROPPED = "dropped"
    DEAD = "dead"
    HELD = "held"


class Trigger(StrEnum):
    """Why an attempt happened."""

    LIVE = "live"
    RETRY = "retry"
    REPLAY = "replay"


class Attempt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One execution of a delivery."""

    number: int
    trigger: Trigger
    code: str
    """`ok`, `dropped`, or what went wrong: `http_500`, `timeout`, `handler_error`, …"""
    started_ms: int
    duration_ms: int
    step: str = ""
    """The step that ended the attempt; empty when all went well."""
    did: Mapping[str, str] = {}
    """What the steps before it did in this attempt, in their order: `ok`, `skipped`, or the error that the
    delivery went on after."""
    error: str = ""


class StoredMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message as the store keeps it."""

    number: int
    received_ms: int
    body: bytes
    source: str
    path: str
    covered: bool
    routes: tuple[str, ...]
    """Names of the routes it matched when it arrived."""
    same_id_as: int | None = None
    repeats: int = 0
    """How often it arrived again."""
    orders_purge: bool = False
    """Whether it ordered that what was stored of its user be deleted."""

    @property
    def id(self) -> str:
        return message_name(self.number)


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One message on one route, and one replay if it comes from one."""

    message: int
    route: str
    replay: int
    """0 for live traffic."""
    status: Status
    attempts: int = 0
    code: str = ""
    error: str = ""
    step: str = ""
    due_ms: int | None = None
    """When a waiting delivery is tried again."""
    finished_ms: int | None = None
    history: tuple[Attempt, ...] = ()
    """The last attempts, oldest first; bounded."""


def message_name(number: int) -> str:
    """The id people see: `msg_17`."""
    return f"msg_{number}"


def message_number(name: str) -> int | None:
    """`msg_17` or `17` → 17; None if it is neither (then it may be a messageId)."""
    digits = name.removeprefix("msg_")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else None


def text(value: Any) -> str | None:
    """A Segment id field as text: SDKs send numbers too; anything else than a string or number is no id."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return None
