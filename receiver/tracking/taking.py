"""A call of the tracking API taken apart into messages: whose each is, and complete as Segment would have it.

Pure: nothing here waits or changes anything, so that a large batch may be taken apart in a thread.
"""

from typing import NoReturn

import msgspec

from receiver.core import json_text
from receiver.core.errors import MalformedMessage, Refused
from receiver.core.facts import Fields, content_digest
from receiver.core.message import NewMessage
from receiver.core.routes import Config, SourcePath
from receiver.core.validity import MEANINGS, problems
from receiver.keeping import Keeper
from receiver.soundness import invalid
from receiver.split import RefusedElement
from receiver.tracking import keys
from receiver.tracking.calls import Call
from receiver.tracking.enrich import Arrival, arrival, enriched
from receiver.tracking.limits import MAX_ITEMS, MAX_MESSAGE, BatchTooLong, InvalidWriteKey, PayloadTooLarge
from receiver.tracking.splice import joined


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A call as it came."""

    call: Call
    body: bytes
    header_key: str | None
    """The write key of the Authorization header, which counts where the body has none."""
    ip: str | None
    now_ms: int


_SHARED = ("context", "integrations", "sentAt")
_AROUND = (*_SHARED, keys.FIELD)
_NULL = msgspec.Raw(b"null")


class _Envelope(msgspec.Struct, frozen=True):
    """What stands around the messages of a batch, and counts."""

    batch: list[msgspec.Raw]
    context: msgspec.Raw = _NULL
    integrations: msgspec.Raw = _NULL
    sentAt: msgspec.Raw = _NULL
    writeKey: msgspec.Raw = _NULL


_ENVELOPE = msgspec.json.Decoder(_Envelope)


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What a call holds."""

    kept: list[NewMessage]
    refused: list[RefusedElement]


class Taker:
    """Takes calls apart under one config."""

    def __init__(self, config: Config, keeper: Keeper) -> None:
        self._keys = keys.WriteKeys(config)
        self._keeper = keeper

    def take(self, received: Received) -> Taken:
        """Raises Refused when nothing of it can be kept; a single message is kept or refused as a whole."""
        _require_object(received.body)
        if received.call.type is not None:
            fields = json_text.members(received.body)
            return self._single(received, fields, self._way(received, fields))
        envelope, items = _opened(received.body)
        return self._batch(received, envelope, items, self._way(received, envelope))

    def knows(self, key: str) -> bool:
        """Whether a source has this write key."""
        return self._keys.way(key) is not None

    def _way(self, received: Received, fields: Fields) -> SourcePath | None:
        own = keys.in_fields(fields)
        return self._keys.way(received.header_key if own is None else own)

    def _single(self, received: Received, fields: dict[str, msgspec.Raw], way: SourcePath | None) -> Taken:
        if way is None:
            raise InvalidWriteKey
        if json_text.too_deep(received.body):
            raise _too_deep()
        came = arrival(received.call, received.now_ms, received.ip, {})
        found = self._message(0, way, fields, came)
        if isinstance(found, RefusedElement):
            raise _refusal(found)
        return Taken(kept=[found], refused=[])

    def _batch(
        self, received: Received, envelope: Fields, items: list[bytes], way: SourcePath | None
    ) -> Taken:
        if len(items) > MAX_ITEMS:
            raise BatchTooLong
        came = arrival(received.call, received.now_ms, received.ip, _shared(envelope))
        kept: list[NewMessage] = []
        refused: list[RefusedElement] = []
        for index, item in enumerate(items):
            found = self._item(index, item, way, came)
            if isinstance(found, NewMessage):
                kept.append(found)
            else:
                refused.append(found)
        if not kept and (refused or way is None):
            raise _refusal(refused[0]) if refused else InvalidWriteKey()
        return Taken(kept=kept, refused=refused)

    def _item(
        self, index: int, item: bytes, default: SourcePath | None, came: Arrival
    ) -> NewMessage | RefusedElement:
        if item[:1] != b"{":
            return RefusedElement(index=index, reason="null" if item == b"null" else "not_an_object")
        if len(item) > MAX_MESSAGE:
            return RefusedElement(index=index, reason="too_large")
        if json_text.too_deep(item):
            return RefusedElement(index=index, reason="too_deep")
        fields = json_text.members(item)
        own = keys.in_fields(fields)
        way = default if own is None else self._keys.way(own)
        if way is None:
            return RefusedElement(index=index, reason="invalid_write_key")
        return self._message(index, way, fields, came)

    def _message(
        self, index: int, way: SourcePath, fields: dict[str, msgspec.Raw], came: Arrival
    ) -> NewMessage | RefusedElement:
        fields.pop(keys.FIELD, None)
        if came.call.type is not None:
            fields["type"] = came.call.type
        made = enriched(fields, came)
        source, body = way.source, joined(made)
        if source.refuses_invalid and (found := problems(made)):
            return RefusedElement(index=index, reason=found[0], body=body, source=source.name)
        # Of what was sent: what is added differs each time the same message is sent.
        return self._keeper.message(way, body, made, covered=False, content=content_digest(fields))


def _require_object(body: bytes) -> None:
    json_text.require_utf8(body)
    if not json_text.is_object(body):
        _refuse_other(body)


def _opened(body: bytes) -> tuple[Fields, list[bytes]]:
    """The envelope and its messages, cut in one go where that goes. Raises MalformedMessage.

    Of more than MAX_ITEMS messages, so many and one more come back.
    """
    try:
        whole = _ENVELOPE.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        fields = json_text.members(body)
        batch = bytes(fields.get("batch", b""))
        if not json_text.is_array(batch):
            raise MalformedMessage(
                "The body has no array `batch` of messages.", code="not_a_message"
            ) from None
        return fields, json_text.items(batch, MAX_ITEMS)
    fields = {name: getattr(whole, name) for name in _AROUND}
    return fields, [bytes(item) for item in whole.batch[: MAX_ITEMS + 1]]


def _shared(envelope: Fields) -> Fields:
    """What the envelope says about all its messages. Raises MalformedMessage."""
    shared = {name: envelope[name] for name in _SHARED if name in envelope}
    if json_text.too_deep(b"[%b]" % b",".join(shared.values())):
        raise _too_deep()
    return shared


def _too_deep() -> Refused:
    return MalformedMessage(
        f"The message nests objects or arrays deeper than {json_text.MAX_DEPTH} levels.", code="too_deep"
    )


def _refusal(first: RefusedElement) -> Refused:
    """Why nothing of a call was kept."""
    if first.reason in MEANINGS:
        return invalid(first.reason, first.source, first.body)
    if first.reason == "invalid_write_key":
        return InvalidWriteKey()
    if first.reason == "too_large":
        return PayloadTooLarge("each message of a batch", MAX_MESSAGE)
    if first.reason == "too_deep":
        return _too_deep()
    return MalformedMessage("The batch holds no message that is a JSON object.", code="not_a_message")


def _refuse_other(body: bytes) -> NoReturn:
    try:
        json_text.value(body)
    except ValueError as error:
        raise MalformedMessage(f"The body is not valid JSON: {error}.") from error
    raise MalformedMessage("The body is JSON, but no object.", code="not_a_message")
