import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.outbound import a_message
from workers.errors import MessageUnreadable

TRACK = {
    "type": "track",
    "event": "Order Completed",
    "messageId": "m1",
    "userId": 42,
    "anonymousId": None,
    "channel": "server",
    "timestamp": "2026-05-01T12:00:00.123456789Z",
    "receivedAt": "2026-05-01T12:00:01+02:00",
    "properties": {"revenue": 0, "coupon": None, "products": [{"sku": "A"}, {"sku": "B"}]},
    "context": {"library": {"name": "analytics-python"}},
}


def test_the_fields_of_a_track_message() -> None:
    message = a_message(TRACK)
    assert (message.id, message.source, message.number) == ("msg_17", "shop", 17)
    assert (message.type, message.event, message.message_id) == ("track", "Order Completed", "m1")
    assert (message.user_id, message.anonymous_id, message.group_id) == ("42", None, None)
    assert message.channel == "server"
    assert message.timestamp == datetime(2026, 5, 1, 12, 0, 0, 123456, UTC)
    assert message.received_at == datetime(2026, 5, 1, 10, 0, 1, tzinfo=UTC)
    assert message.data == TRACK
    assert message.raw == json.dumps(TRACK).encode()


@pytest.mark.parametrize("odd", [None, [], "text", 3])
def test_objects_are_never_anything_else(odd: Any) -> None:
    message = a_message({"properties": odd, "traits": odd, "context": odd})
    assert (message.properties, message.traits, message.context) == ({}, {}, {})
    assert a_message({}).channel == "unknown"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("properties.revenue", 0),
        ("properties.products.1.sku", "B"),
        ("properties.products.2.sku", "default"),
        ("properties.products.-1.sku", "default"),
        ("properties.products.²", "default"),
        ("properties.coupon", "default"),
        ("properties.revenue.deeper", "default"),
        ("nothing", "default"),
        ("event", "Order Completed"),
    ],
)
def test_get_follows_a_path(path: str, value: object) -> None:
    assert a_message(TRACK).get(path, "default") == value


def test_a_message_without_times_was_received_when_it_was_taken() -> None:
    message = a_message({})
    assert message.timestamp is None
    assert message.received_at == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("raw", [b"", b"{", b"null", b"[1]", b'"text"', b"\xff"])
def test_what_is_no_json_object_leaves_the_raw_bytes_usable(raw: bytes) -> None:
    message = a_message(raw)
    assert message.raw == raw
    with pytest.raises(MessageUnreadable):
        _ = message.data
    with pytest.raises(MessageUnreadable):
        message.get("properties")


def test_a_copy_does_not_share_what_a_handler_changes() -> None:
    message = a_message(TRACK)
    message.copy().properties["revenue"] = 1_000_000
    assert message.get("properties.revenue", None) == 0
