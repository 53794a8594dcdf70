"""A stored message as handlers and steps see it. Parsed on first use: a step that forwards never parses."""

from datetime import datetime
from typing import Any

from receiver.core import channel as channels
from receiver.core import clock, exact_json
from receiver.core.message import message_name, text
from receiver.core.records import customer_settings
from receiver.core.segment import hops
from receiver.core.timestamps import parse_time
from workers.errors import MessageUnreadable

_MARK = f'"{hops.KEY}"'.encode()
"""Of what Hookyard sends: no other message is parsed for its hops."""


class Message:
    """One Segment message. Reading a field of a body that is not a JSON object raises MessageUnreadable.

    Every handler gets a copy of its own: what it changes in `data` stays with it.
    """

    __slots__ = ("_data", "_hops", "_info", "number", "raw", "received_ms", "source")

    def __init__(self, *, number: int, raw: bytes, source: str, received_ms: int, info: str = "") -> None:
        self.number = number
        self.raw = raw
        """The exact bytes that arrived; behind a transform step the message as that left it."""
        self.source = source
        """Name of the source in routes.yaml it came from."""
        self.received_ms = received_ms
        """When Hookyard took it, milliseconds since 1970."""
        self._data: dict[str, Any] | None = None
        self._hops: int | None = None
        self._info = info

    def __repr__(self) -> str:
        return f"<Message {self.id} from {self.source}>"

    def copy(self) -> "Message":
        """The same message, parsed afresh when it is read."""
        return self._with(self.raw, self._hops)

    def changed(self, data: dict[str, Any]) -> "Message":
        """The same message with other fields; its hops stay. Raises ValueError for what is no JSON."""
        return self._with(exact_json.dumps(data), self.hops)

    def _with(self, raw: bytes, sent: int | None) -> "Message":
        made = Message(
            number=self.number,
            raw=raw,
            source=self.source,
            received_ms=self.received_ms,
            info=self._info,
        )
        made._hops = sent
        return made

    @property
    def settings(self) -> dict[str, Any]:
        """What the customer of a partner subscription set (`X-Segment-Settings`); {} for all others."""
        return customer_settings(self._info) if self._info else {}

    @property
    def id(self) -> str:
        """The store's id, `msg_17`."""
        return message_name(self.number)

    @property
    def data(self) -> dict[str, Any]:
        """The whole message."""
        if self._data is None:
            self._data = _parse(self.raw)
        return self._data

    @property
    def message_id(self) -> str | None:
        """Segment's messageId."""
        return text(self.data.get("messageId"))

    @property
    def type(self) -> str | None:
        """identify, track, page, screen, group, alias, delete, or whatever was sent."""
        return text(self.data.get("type"))

    @property
    def event(self) -> str | None:
        """The name of a track message."""
        return text(self.data.get("event"))

    @property
    def user_id(self) -> str | None:
        return text(self.data.get("userId"))

    @property
    def anonymous_id(self) -> str | None:
        return text(self.data.get("anonymousId"))

    @property
    def group_id(self) -> str | None:
        return text(self.data.get("groupId"))

    @property
    def channel(self) -> str:
        """server, browser, mobile, client or unknown: derived, the raw one is in `data`."""
        return channels.derive(self.data.get("channel"), self.context)

    @property
    def timestamp(self) -> datetime | None:
        """When it happened, aware; None if the message does not say so readably."""
        return parse_time(self.data.get("timestamp"))

    @property
    def received_at(self) -> datetime:
        """When Segment received it, aware; if the message does not say, when Hookyard did."""
        return parse_time(self.data.get("receivedAt")) or clock.utc(self.received_ms)

    @property
    def hops(self) -> int:
        """How often Hookyard sent this message, or what caused it, to Segment. Never raises."""
        if self._hops is None:
            self._hops = self._counted_hops()
        return self._hops

    @property
    def properties(self) -> dict[str, Any]:
        return self._object("properties")

    @property
    def traits(self) -> dict[str, Any]:
        return self._object("traits")

    @property
    def context(self) -> dict[str, Any]:
        return self._object("context")

    def get(self, path: str, default: Any = None) -> Any:
        """`get("properties.products.0.sku")`: the value there; `default` where it is missing or null."""
        value: Any = self.data
        for part in path.split("."):
            if isinstance(value, dict):
                value = value.get(part)
            elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
                value = value[int(part)]
            else:
                return default
        return default if value is None else value

    def _counted_hops(self) -> int:
        if _MARK not in self.raw:
            return 0
        try:
            return hops.hops_of(self.data)
        except MessageUnreadable:
            return 0

    def _object(self, name: str) -> dict[str, Any]:
        """The object under `name`; deletion messages may hold null or [] in its place."""
        value = self.data.get(name)
        return value if isinstance(value, dict) else {}


def _parse(raw: bytes) -> dict[str, Any]:
    try:
        data = exact_json.loads(raw)
    except ValueError as error:
        raise MessageUnreadable(f"the message is not JSON: {error}") from None
    if not isinstance(data, dict):
        raise MessageUnreadable(f"the message is JSON, but no object: {type(data).__name__}")
    return data
