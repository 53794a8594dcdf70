"""What is added to a message, and that whatever is odd stays as it came."""

import json
import re
from typing import Any

import pytest

from receiver.core.clock import iso
from receiver.core.json_text import members
from receiver.tracking.calls import CALLS
from receiver.tracking.enrich import arrival, enriched
from receiver.tracking.splice import joined
from tests.support.segment import SINGLE

NOW_MS = 1_718_000_060_000
NOW = iso(NOW_MS)
IP = "192.0.2.1"
UNKNOWN = {"name": "unknown", "version": "unknown"}


def made(item: Any, *, path: str = "batch", ip: str | None = IP, **envelope: Any) -> dict[str, Any]:
    """What becomes of an item (a dict, or the text of one)."""
    text = item if isinstance(item, bytes) else json.dumps(item).encode()
    came = arrival(CALLS[path], NOW_MS, ip, members(json.dumps(envelope).encode()))
    found: dict[str, Any] = json.loads(joined(enriched(members(text), came)))
    return found


def context(given: Any, **how: Any) -> Any:
    return made({"context": given}, **how)["context"]


def test_everything_segment_fills_in_for_a_bare_message() -> None:
    found = made({"userId": "u", "event": "E"}, path="track")
    assert re.fullmatch(r"api-[0-9A-Za-z]{27}", found.pop("messageId"))
    assert found == {
        "userId": "u",
        "event": "E",
        "type": "track",
        "context": {"library": UNKNOWN},
        "originalTimestamp": NOW,
        "timestamp": NOW,
        "receivedAt": NOW,
        "channel": "server",
    }


@pytest.mark.parametrize("given", [None, ""])
def test_a_missing_message_id_is_made_once_for_each(given: str | None) -> None:
    ids = {made({"messageId": given})["messageId"] for _ in range(50)}
    assert len(ids) == 50


@pytest.mark.parametrize("given", ["m-1", 17, {"odd": 1}])
def test_a_message_id_stays(given: Any) -> None:
    assert made({"messageId": given})["messageId"] == given


def test_the_path_says_the_type_and_a_batch_does_not() -> None:
    assert made({"type": "page"}, path="t")["type"] == "track"
    assert made({"type": "page"}, path="b")["type"] == "page"
    assert "type" not in made({})


@pytest.mark.parametrize(
    ("path", "given", "expected"),
    [
        ("batch", {}, "server"),
        ("import", {}, "server"),
        ("track", {"channel": None}, "server"),
        ("b", {}, "client"),
        ("t", {}, "client"),
        ("import", {"channel": "mobile"}, "mobile"),
        ("b", {"channel": 17}, 17),
        ("batch", {"context": {"channel": "browser"}}, "browser"),
        ("batch", {"context": {"channel": ""}}, "server"),
        ("batch", {"context": {"channel": "browser", "library": "x"}}, "browser"),
        ("batch", {"context": {"channel": "", "library": "x"}}, "server"),
        ("batch", {"context": {"channel": 5, "library": "x"}}, "server"),
        ("batch", {"context": {"channel": 5}}, "server"),
        ("batch", {"channel": "server", "context": {"channel": "browser"}}, "server"),
    ],
)
def test_the_channel_is_the_senders_or_that_of_the_path(path: str, given: Any, expected: Any) -> None:
    assert made(given, path=path)["channel"] == expected


@pytest.mark.parametrize(
    ("sent", "timestamp", "expected"),
    [
        ("2024-06-10T06:14:10.000Z", "2024-06-10T06:14:00.000Z", "2024-06-10T06:14:10.000Z"),
        ("2024-06-10T08:14:20+02:00", "2024-06-10T06:14:00Z", "2024-06-10T06:14:00.000Z"),
        ("2024-06-10T06:14:20", "2024-06-10T06:14:00.5", "2024-06-10T06:14:00.500Z"),
        ("2024-06-10T06:14:20.123456789Z", "2024-06-10T06:14:20.123456Z", "2024-06-10T06:14:20.000Z"),
        (None, "2024-06-10T06:00:00.25+00:00", "2024-06-10T06:00:00.250Z"),
        (None, "2024-06-10T08:00:00+02:00", "2024-06-10T06:00:00.000Z"),
        (None, "2024-06-10 06:00:00.209808489 +0000 UTC m=+0.1", "2024-06-10T06:00:00.210Z"),
        ("not a time", "2024-06-10T06:00:00Z", "2024-06-10T06:00:00.000Z"),
        ("2024-06-10T06:14:20Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
    ],
)
def test_the_clock_of_the_sender_is_corrected(sent: Any, timestamp: str, expected: str) -> None:
    assert NOW == "2024-06-10T06:14:20.000Z"
    for found in (
        made({"timestamp": timestamp}, sentAt=sent),
        made({"timestamp": timestamp, "sentAt": sent}),
    ):
        assert (found["originalTimestamp"], found["timestamp"]) == (timestamp, expected)


def test_the_time_of_sending_is_that_of_the_item_before_that_of_the_batch() -> None:
    found = made({"timestamp": "2024-01-01T00:00:00Z", "sentAt": "2024-01-01T00:00:05Z"}, sentAt=NOW)
    assert (found["sentAt"], found["timestamp"]) == ("2024-01-01T00:00:05Z", "2024-06-10T06:14:15.000Z")
    assert made({"sentAt": None}, sentAt=NOW)["sentAt"] == NOW
    assert "sentAt" not in made({}, sentAt=None)


def test_a_message_without_a_time_happened_when_it_was_sent() -> None:
    found = made({"timestamp": None}, sentAt="2024-06-10T06:14:00Z")
    assert (found["originalTimestamp"], found["timestamp"]) == ("2024-06-10T06:14:00Z", NOW)
    found = made({"originalTimestamp": "2024-06-10T06:00:00Z"})
    assert (found["originalTimestamp"], found["timestamp"]) == (
        "2024-06-10T06:00:00Z",
        "2024-06-10T06:00:00.000Z",
    )


@pytest.mark.parametrize(
    "odd",
    ["2024-13-45T06:14:00Z", "yesterday", "\ud83d", 1718000000, {"a": 1}, [], "x" * 500],
)
def test_a_time_nobody_can_read_stays(odd: Any) -> None:
    found = made({"timestamp": odd}, sentAt=NOW)
    assert (found["timestamp"], found["originalTimestamp"]) == (odd, odd)


def test_what_the_sender_says_about_our_clock_is_replaced() -> None:
    assert made({"receivedAt": "2001-01-01T00:00:00Z"})["receivedAt"] == NOW


@pytest.mark.parametrize(
    ("given", "path", "expected"),
    [
        (None, "batch", {"library": UNKNOWN}),
        ({}, "batch", {"library": UNKNOWN}),
        ({"library": None}, "batch", {"library": UNKNOWN}),
        ({"library": {"name": "mine"}}, "batch", {"library": {"name": "mine"}}),
        ({"library": "mine"}, "batch", {"library": "mine"}),
        ({}, "b", {"library": UNKNOWN, "ip": IP}),
        ({"ip": "198.51.100.1"}, "b", {"library": UNKNOWN, "ip": "198.51.100.1"}),
        ({"ip": None}, "b", {"library": UNKNOWN, "ip": None}),
        ({"direct": True}, "batch", {"library": UNKNOWN, "ip": IP, "direct": True}),
        ({"direct": "true"}, "batch", {"library": UNKNOWN, "direct": "true"}),
        ({"library": "mine"}, "b", {"library": "mine", "ip": IP}),
        ({"library": "mine", "ip": None}, "b", {"library": "mine", "ip": None}),
        ({"library": "mine", "direct": True}, "batch", {"library": "mine", "direct": True, "ip": IP}),
        ([], "b", []),
        ("odd", "b", "odd"),
        (17, "b", 17),
    ],
)
def test_the_context_is_completed(given: Any, path: str, expected: Any) -> None:
    assert context(given, path=path) == expected


def test_an_address_that_segment_does_not_record_is_not_filled_in() -> None:
    assert context({}, path="b", ip=None) == {"library": UNKNOWN}


def test_a_complete_context_is_not_touched() -> None:
    text = b'{"context":{ "library" : {"name":"x"} ,"n":1e400}}'
    came = arrival(CALLS["batch"], NOW_MS, IP, {})
    assert bytes(enriched(members(text), came)["context"]) == b'{ "library" : {"name":"x"} ,"n":1e400}'


@pytest.mark.parametrize(
    ("item", "batch", "expected"),
    [
        ({"a": 1}, {"a": 2, "b": 2}, {"a": 1, "b": 2}),
        (None, {"b": 2}, {"b": 2}),
        ({}, {"b": 2}, {"b": 2}),
        ({"a": None}, {"a": 2}, {"a": None}),
        ([], {"b": 2}, []),
        ({"a": 1}, [], {"a": 1}),
        ({"a": 1}, None, {"a": 1}),
        ({"a": {"x": 1}}, {"a": {"y": 2}}, {"a": {"x": 1}}),
    ],
)
def test_what_the_batch_says_goes_below_what_the_item_says(item: Any, batch: Any, expected: Any) -> None:
    assert made({"integrations": item}, integrations=batch)["integrations"] == expected
    found = context(item, context=batch)
    assert found == (expected | {"library": UNKNOWN} if isinstance(expected, dict) else expected)


def test_the_library_of_the_batch_counts_where_the_item_has_none() -> None:
    library = {"name": "analytics-java", "version": "3"}
    assert context({"library": None}, context={"library": library})["library"] == library
    assert "integrations" not in made({}, context={"library": library})


def test_numbers_and_escapes_of_the_sender_survive() -> None:
    text = rb'{"properties":{"a":1e400,"b":1.10,"c":"\ud83d"},"\ud83d":-0,"context":{"x":1E2}}'
    found = joined(enriched(members(text), arrival(CALLS["t"], NOW_MS, IP, {})))
    for piece in (
        rb'"properties":{"a":1e400,"b":1.10,"c":"\ud83d"}',
        rb'"\ud83d":-0',
        b'{"x":1E2,"library":',
    ):
        assert piece in found


@pytest.mark.parametrize("line", SINGLE, ids=range(1, len(SINGLE) + 1))
@pytest.mark.parametrize("path", ["batch", "b"])
def test_any_message_segment_delivers_may_be_sent_again(line: bytes, path: str) -> None:
    """Nothing of it is lost, and only the times and the context are completed."""
    before, after = json.loads(line), made(line, path=path)
    for name, value in before.items():
        if name not in ("receivedAt", "timestamp", "originalTimestamp", "context"):
            assert after[name] == value, name
    if isinstance(before.get("context"), dict):
        assert before["context"].items() <= after["context"].items()
