import json
from datetime import UTC, datetime
from typing import Any

import pytest

from receiver.core.steps.segment import Call
from workers import calls
from workers.calls import InvalidSegmentCall


def encoded(call: Call, **fields: Any) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(calls.with_id(calls.encode(call, fields), "id-1"))
    return decoded


def refused(call: Call, **fields: Any) -> str:
    with pytest.raises(InvalidSegmentCall) as caught:
        calls.with_id(calls.encode(call, fields), "id-1")
    assert caught.value.code == "invalid_segment_call"
    return str(caught.value)


def test_a_track_call() -> None:
    call = encoded(
        "track",
        event="Order Completed",
        userId=42,
        anonymousId=None,
        properties={"revenue": "39.95", "currency": "EUR", "value": 3},
        timestamp=datetime(2026, 5, 1, tzinfo=UTC),
        context={"ip": "192.0.2.1"},
        integrations={"All": False},
    )
    library = call["context"].pop("library")
    assert library["name"] == "hookyard"
    assert call == {
        "messageId": "id-1",
        "type": "track",
        "userId": "42",
        "event": "Order Completed",
        "timestamp": "2026-05-01T00:00:00+00:00",
        "properties": {"revenue": "39.95", "currency": "EUR", "value": 3},
        "context": {"ip": "192.0.2.1"},
        "integrations": {"All": False},
    }


def test_an_identify_call_has_traits_and_no_event() -> None:
    call = encoded("identify", anonymousId="a", event="ignored", traits={"email": "x@example.com"})
    assert (call["type"], call["anonymousId"], call["traits"]) == (
        "identify",
        "a",
        {"email": "x@example.com"},
    )
    assert not {"event", "properties", "timestamp", "userId"} & set(call)


def test_a_time_without_a_zone_is_utc() -> None:
    naive = datetime(2026, 5, 1, tzinfo=UTC).replace(tzinfo=None)
    assert encoded("identify", userId="u", timestamp=naive)["timestamp"] == "2026-05-01T00:00:00+00:00"


def test_the_library_of_the_call_wins() -> None:
    assert encoded("identify", userId="u", context={"library": {"name": "mine"}})["context"] == {
        "library": {"name": "mine"}
    }


def test_all_problems_are_told_at_once_each_with_its_field() -> None:
    text = refused("track", event=" ", properties=[1], timestamp="yesterday", context="x", integrations=3)
    for field in ("userId, anonymousId", "event", "properties", "timestamp", "context", "integrations"):
        assert f"{field}: " in text


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"userId": True}, "userId: expected text or a number, got a boolean"),
        ({"userId": {"id": 1}}, "userId: expected text or a number, got an object"),
        ({"userId": ""}, "userId, anonymousId: one of them is needed"),
        ({"userId": "u", "event": 3}, "event: expected the event's name, got a number"),
        ({"userId": "u", "timestamp": 1589068489}, "timestamp: expected ISO 8601"),
        (
            {"userId": "u", "properties": {"revenue": "a lot"}},
            "properties.revenue: expected a number, got text",
        ),
        (
            {"userId": "u", "properties": {"value": True}},
            "properties.value: expected a number, got a boolean",
        ),
        ({"userId": "u", "properties": {"currency": 978}}, "properties.currency: expected a string"),
        ({"userId": "u", "properties": {"x": object()}}, "cannot be said in JSON"),
    ],
)
def test_what_segment_would_drop_is_refused(fields: dict[str, Any], says: str) -> None:
    assert says in refused("track", **{"event": "Seen", **fields})


def test_a_call_of_32_kib_fits_and_one_byte_more_does_not() -> None:
    empty = len(calls.with_id(calls.encode("identify", {"userId": "u", "traits": {"x": ""}}), "id-1"))
    room = calls.MAX_CALL - empty
    assert encoded("identify", userId="u", traits={"x": "y" * room})["type"] == "identify"
    assert "32,769 bytes" in refused("identify", userId="u", traits={"x": "y" * (room + 1)})


@pytest.mark.parametrize("message_id", ["", "x" * 101])
def test_a_message_id_has_1_to_100_characters(message_id: str) -> None:
    with pytest.raises(InvalidSegmentCall, match="messageId"):
        calls.with_id(calls.encode("identify", {"userId": "u"}), message_id)


def test_a_lone_surrogate_does_not_stop_a_call() -> None:
    assert encoded("identify", userId="u", traits={"name": "\ud83d"})["traits"] == {"name": "\ud83d"}
