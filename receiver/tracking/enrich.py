"""The fields that Segment's servers add to a message of the tracking API (segment.md 2.1, 2.5, 3.1).

Works on slices: values that the sender wrote are carried over as they are. Whatever is odd (a context that is
a list, a clock string no one can read) stays as it came, and nothing is made of it.
"""

from datetime import UTC, datetime, timedelta

import msgspec

from receiver.core import json_text
from receiver.core.clock import utc
from receiver.core.facts import Fields
from receiver.core.timestamps import parse_time
from receiver.tracking import ksuid
from receiver.tracking.calls import Call
from receiver.tracking.splice import extended, joined, string

_NULL, _TRUE, _EMPTY = msgspec.Raw(b"null"), msgspec.Raw(b"true"), msgspec.Raw(b'""')
_ABSENT = msgspec.Raw(b"")
_UNKNOWN_LIBRARY = msgspec.Raw(b'{"name":"unknown","version":"unknown"}')
_LONGEST_TIME = 64
_HALF_A_MS = timedelta(microseconds=500)
"""Makes rounding of what would be cut off."""
_NO_TIME = timedelta()
_TO_SECONDS = len('"2024-01-31T12:00:00')
_encode = msgspec.json.Encoder().encode
_RFC_3339 = msgspec.json.Decoder(datetime)
"""What nearly all write; five times as fast as reading anything that may be a time."""


class _Said(msgspec.Struct, frozen=True):
    """What counts of a context."""

    library: msgspec.Raw = _NULL
    channel: msgspec.Raw = _NULL
    direct: msgspec.Raw = _NULL
    ip: msgspec.Raw = _ABSENT


_SAID = msgspec.json.Decoder(_Said)


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """What all messages of one request have in common."""

    call: Call
    now_ms: int
    at: datetime
    received: msgspec.Raw
    """The same moment as JSON text."""
    ip: msgspec.Raw | None
    """The sender's address as JSON text, where it is one that Segment records."""
    sent: msgspec.Raw | None
    """The envelope's sentAt."""
    late: timedelta | None
    """How far our clock is ahead of the envelope's sentAt."""
    context: Fields
    """Of the envelope, for all its messages."""
    integrations: Fields


def arrival(call: Call, now_ms: int, ip: str | None, envelope: Fields) -> Arrival:
    """`envelope` is what stands around the messages, empty where nothing does."""
    at = utc(now_ms)
    sent = _given(envelope, "sentAt")
    return Arrival(
        call=call,
        now_ms=now_ms,
        at=at,
        received=_time(at),
        ip=None if ip is None else string(ip),
        sent=sent,
        late=_lateness(sent, at),
        context=_inner(envelope, "context"),
        integrations=_inner(envelope, "integrations"),
    )


def enriched(item: Fields, came: Arrival) -> dict[str, msgspec.Raw]:
    """The message as Segment would deliver it, less what Segment says about its own workspaces."""
    made = dict(item)
    if came.call.type is not None:
        made["type"] = came.call.type
    if _given(made, "messageId") in (None, _EMPTY):
        made["messageId"] = string(ksuid.message_id(came.now_ms))
    channel = _complete_context(made, came)
    if came.integrations:
        _merge_integrations(made, came.integrations)
    _set_times(made, came)
    if _given(made, "channel") is None:
        made["channel"] = channel or came.call.channel
    made["receivedAt"] = came.received
    return made


def _complete_context(made: dict[str, msgspec.Raw], came: Arrival) -> msgspec.Raw | None:
    """Answers the channel that the sender put into the context."""
    given = _given(made, "context")
    said = None if given is None or came.context else _said(given)
    if (
        said is not None
        and said.library != _NULL
        and (said.ip != _ABSENT or not _wants_ip(said.direct, came))
    ):
        return _text(said.channel)  # nothing to be added: as nearly all are
    text = b"{}" if given is None else bytes(given)
    if text[:1] != b"{":
        return None
    context = json_text.members(text)
    if "library" in context and _given(context, "library") is None:
        del context["library"]
        text = joined(context)
    added = _missing(context, came.context)
    context.update(added)
    if "library" not in context:
        added["library"] = _UNKNOWN_LIBRARY
    if came.ip is not None and "ip" not in context and _wants_ip(context.get("direct"), came):
        added["ip"] = came.ip
    if added or given is None:
        made["context"] = msgspec.Raw(extended(text, added))
    return _text(context.get("channel"))


def _said(context: msgspec.Raw) -> _Said | None:
    """None: it is no object, or too odd to be read so."""
    try:
        return _SAID.decode(context)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _wants_ip(direct: msgspec.Raw | None, came: Arrival) -> bool:
    """Whether the address it came from is to be noted: that of the user's own device."""
    return came.ip is not None and (came.call.from_client or direct == _TRUE)


def _text(value: msgspec.Raw | None) -> msgspec.Raw | None:
    return value if value is not None and _is_text(bytes(value)) else None


def _merge_integrations(made: dict[str, msgspec.Raw], shared: Fields) -> None:
    given = _given(made, "integrations")
    text = b"{}" if given is None else bytes(given)
    if text[:1] == b"{":
        added = _missing(json_text.members(text), shared)
        made["integrations"] = msgspec.Raw(extended(text, added))


def _missing(own: Fields, shared: Fields) -> dict[str, msgspec.Raw]:
    return {name: shared[name] for name in shared if name not in own} if shared else {}


def _set_times(made: dict[str, msgspec.Raw], came: Arrival) -> None:
    """timestamp = receivedAt - (sentAt - originalTimestamp): freed of what the sender's clock is off."""
    late, sent = came.late, _given(made, "sentAt")
    if sent is not None:
        late = _lateness(sent, came.at)
    elif came.sent is not None:
        made["sentAt"] = sent = came.sent
    original = _given(made, "timestamp") or _given(made, "originalTimestamp")
    if original is None:
        original = came.received if late is None or sent is None else sent
    made["originalTimestamp"] = original
    made["timestamp"] = _corrected(original, late or _NO_TIME)


def _corrected(original: msgspec.Raw, late: timedelta) -> msgspec.Raw:
    moment = _moment(original)
    if moment is None:
        return original
    try:
        return _time((moment + late + _HALF_A_MS).astimezone(UTC))
    except OverflowError:
        return original


def _lateness(sent: msgspec.Raw | None, at: datetime) -> timedelta | None:
    """How far our clock is ahead of the sender's, the way included; None when that cannot be told."""
    moment = None if sent is None else _moment(sent)
    return None if moment is None else at - moment


def _moment(value: msgspec.Raw) -> datetime | None:
    """A time that a sender wrote, as JSON text; None when it cannot be read."""
    try:
        moment = _RFC_3339.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        text = bytes(value)
        return parse_time(text[1:-1].decode()) if _is_text(text) and len(text) <= _LONGEST_TIME else None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _time(moment: datetime) -> msgspec.Raw:
    """A time of UTC as Segment writes it."""
    return msgspec.Raw(b'%b.%03dZ"' % (_encode(moment)[:_TO_SECONDS], moment.microsecond // 1000))


def _inner(envelope: Fields, name: str) -> Fields:
    given = _given(envelope, name)
    text = b"" if given is None else bytes(given)
    return json_text.members(text) if text[:1] == b"{" else {}


def _given(fields: Fields, name: str) -> msgspec.Raw | None:
    """A field's text; null is the same as not being there."""
    found = fields.get(name)
    return None if found is None or found == _NULL else found


def _is_text(value: bytes) -> bool:
    """Whether it is a JSON string that is not empty."""
    return len(value) > 2 and value[:1] == b'"'
