"""Segment calls on their way out: checked before they are sent, because a 200 of Segment proves nothing.

Segment answers 200 to a message without an id or with an event that is no text, and drops it afterwards.
All problems are reported at once, each naming its field in Segment's spelling.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from receiver.core import exact_json
from receiver.core.message import text
from receiver.core.steps.segment import Call
from workers import release
from workers.errors import ValidationError

MAX_CALL = 32 * 1024
"""Bytes of one message."""
MAX_MESSAGE_ID = 100

RESERVED: dict[str, str] = {"revenue": "number", "value": "number", "currency": "string"}
"""Properties of a track call whose meaning Segment fixes."""
NESTED: dict[Call, Literal["traits", "properties"]] = {"identify": "traits", "track": "properties"}


class InvalidSegmentCall(ValidationError):
    """A call that Segment would drop."""

    code = "invalid_segment_call"


def encode(call: Call, fields: Mapping[str, Any]) -> bytes:
    """The call as JSON, without its messageId; None is left out. Raises InvalidSegmentCall."""
    problems: list[str] = []
    message = {
        "type": call,
        **_identity(fields, problems),
        **_event(call, fields, problems),
        **_timestamp(fields, problems),
        **_objects(call, fields, problems),
    }
    if problems:
        raise InvalidSegmentCall("; ".join(problems))
    library = {"name": "hookyard", "version": release.number()}
    message["context"] = {"library": library, **message.get("context", {})}
    try:
        return exact_json.dumps(message)
    except ValueError as error:
        raise InvalidSegmentCall(f"a value cannot be said in JSON: {error}") from None


def with_id(encoded: bytes, message_id: str) -> bytes:
    """`encode`'s answer with its messageId. Raises InvalidSegmentCall for what Segment finds too large."""
    if not 0 < len(message_id) <= MAX_MESSAGE_ID:
        raise InvalidSegmentCall(f"messageId: {len(message_id)} characters, expected 1 to {MAX_MESSAGE_ID}")
    whole = b'{"messageId":' + exact_json.dumps(message_id) + b"," + encoded[1:]
    if len(whole) > MAX_CALL:
        raise InvalidSegmentCall(f"the message has {len(whole):,} bytes, Segment takes {MAX_CALL:,}")
    return whole


def _identity(fields: Mapping[str, Any], problems: list[str]) -> dict[str, str]:
    found = {}
    for name in ("userId", "anonymousId"):
        value = fields.get(name)
        if value is None or value == "":
            continue
        as_text = text(value)
        if as_text is None:
            problems.append(f"{name}: expected text or a number, got {_kind(value)}")
            return {}
        found[name] = as_text
    if not found:
        problems.append("userId, anonymousId: one of them is needed")
    return found


def _event(call: Call, fields: Mapping[str, Any], problems: list[str]) -> dict[str, str]:
    if call != "track":
        return {}
    event = fields.get("event")
    if not isinstance(event, str) or not event.strip():
        problems.append(f"event: expected the event's name, got {_kind(event)}")
        return {}
    return {"event": event}


def _timestamp(fields: Mapping[str, Any], problems: list[str]) -> dict[str, str]:
    value = fields.get("timestamp")
    if value is None:
        return {}
    if isinstance(value, datetime):
        aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        return {"timestamp": aware.isoformat()}
    try:
        datetime.fromisoformat(value)
    except (TypeError, ValueError):
        problems.append("timestamp: expected ISO 8601, for example 2026-05-01T12:00:00Z")
        return {}
    return {"timestamp": value}


def _objects(call: Call, fields: Mapping[str, Any], problems: list[str]) -> dict[str, Any]:
    found = {}
    for name in (NESTED[call], "context", "integrations"):
        value = fields.get(name)
        if isinstance(value, dict):
            found[name] = value
        elif value is not None:
            problems.append(f"{name}: expected an object, got {_kind(value)}")
    if call == "track":
        problems += _reserved(found.get("properties", {}))
    return found


def _reserved(properties: Mapping[str, Any]) -> list[str]:
    return [
        f"properties.{name}: expected a {kind}, got {_kind(properties[name])}"
        for name, kind in RESERVED.items()
        if properties.get(name) is not None and not _fits(properties[name], kind)
    ]


def _fits(value: Any, kind: str) -> bool:
    if kind == "string":
        return isinstance(value, str)
    if isinstance(value, str):  # Segment's own samples hold "39.95"
        try:
            float(value)
        except ValueError:
            return False
        return True
    return isinstance(value, int | float) and not isinstance(value, bool)


def _kind(value: Any) -> str:
    for kinds, name in ((bool, "a boolean"), (int | float, "a number"), (str, "text"), (list, "a list")):
        if isinstance(value, kinds):
            return name
    if value is None:
        return "nothing"
    return "an object" if isinstance(value, dict) else type(value).__name__
