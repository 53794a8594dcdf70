"""The tracking API as its callers see it: every path, every place for a key, what becomes of a message."""

import gzip
import json
from typing import Any

import pytest

from receiver.tracking.calls import CALLS
from receiver.tracking.limits import MAX_BATCH, MAX_ITEMS, MAX_MESSAGE
from tests.support.http_side import OTHER_WRITE_KEY, WRITE_KEY, HttpSide
from tests.support.segment import SINGLE, nested
from tests.support.tracking import SLASHES, TRACK, basic, batch, keyed, of_size, post, stored, text

LONG = {"identify", "track", "page", "screen", "group", "alias", "batch", "import"}


@pytest.mark.parametrize("slash", SLASHES)
@pytest.mark.parametrize("path", CALLS)
def test_every_path_takes_messages(path: str, slash: str) -> None:
    side = HttpSide()
    single = CALLS[path].type is not None
    answer = post(side, path + slash, keyed({"userId": "u", "event": "E"}) if single else batch(TRACK))
    assert (answer.status, answer.body) == (200, b'{"success":true}')
    assert answer.headers["content-type"] == "application/json"
    (message,) = stored(side)
    names = {"i": "identify", "t": "track", "p": "page", "s": "screen", "g": "group", "a": "alias"}
    assert message["type"] == (names.get(path, path) if single else "track")
    assert message["channel"] == ("server" if path in LONG else "client")
    assert ("ip" in message["context"]) == (path not in LONG)
    assert (side.recorder.messages[0].source, side.recorder.messages[0].path) == ("web", "/v1/web")


@pytest.mark.parametrize("path", ["m", "m/"])
def test_measurements_of_libraries_are_thrown_away(path: str) -> None:
    side = HttpSide()
    assert post(side, path, b'{"series":[]}', content_type="text/plain").body == b'{"success":true}'
    assert side.recorder.messages == []


@pytest.mark.parametrize(
    ("item", "body", "header", "source"),
    [
        (None, None, WRITE_KEY, "web"),
        (None, WRITE_KEY, None, "web"),
        (WRITE_KEY, None, None, "web"),
        (None, WRITE_KEY, WRITE_KEY, "web"),
        (None, WRITE_KEY, OTHER_WRITE_KEY, "web"),
        (WRITE_KEY, OTHER_WRITE_KEY, OTHER_WRITE_KEY, "web"),
        (WRITE_KEY, "wrong", "wrong", "web"),
        (None, None, "wrong", None),
        (None, "wrong", WRITE_KEY, None),
        ("wrong", WRITE_KEY, WRITE_KEY, None),
        ("", WRITE_KEY, None, "web"),
        (None, 17, WRITE_KEY, "web"),
        (None, None, None, None),
    ],
)
def test_the_innermost_key_says_whose_a_message_is(
    item: Any, body: Any, header: str | None, source: str | None
) -> None:
    """A single call is an item without a batch around it."""
    side = HttpSide()
    headers = {} if header is None else basic(header)
    answer = side.send(
        text({"batch": [{**TRACK, "writeKey": item}], "writeKey": body}), path="/v1/batch", headers=headers
    )
    assert (answer.status, answer.code if source is None else "") == (
        (200, "") if source else (400, "invalid_write_key")
    )
    if item is None:
        single = side.send(text({**TRACK, "writeKey": body}), path="/v1/track", headers=headers)
        assert single.status == answer.status
    assert {message.source for message in side.recorder.messages} == ({source} if source else set())
    assert not any(b"writeKey" in body for body in side.recorder.bodies)


def test_a_bearer_token_is_not_looked_at() -> None:
    side = HttpSide()
    assert post(side, "track", keyed(), authorization="Bearer expired").status == 200
    assert post(side, "track", text(TRACK), authorization=f"Bearer {WRITE_KEY}").code == "invalid_write_key"


def test_one_batch_may_hold_messages_of_several_sources() -> None:
    side = HttpSide()
    items = [
        {**TRACK, "event": "1"},
        {**TRACK, "event": "2", "writeKey": OTHER_WRITE_KEY},
        {**TRACK, "event": "3"},
    ]
    assert post(side, "b", batch(*items)).status == 200
    assert [(message.source, json.loads(message.body)["event"]) for message in side.recorder.messages] == [
        ("web", "1"),
        ("app", "2"),
        ("web", "3"),
    ]
    assert side.counted('hookyard_messages_accepted_total{source="web"}') == 2
    assert side.counted('hookyard_messages_accepted_total{source="app"}') == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/json; charset=utf-8"},
        {"content-type": "application/x-www-form-urlencoded"},
        {},
    ],
)
def test_the_body_is_json_whatever_its_type_says(headers: dict[str, str]) -> None:
    side = HttpSide()
    assert side.send(keyed(), path="/v1/t", headers=headers).status == 200
    assert len(side.recorder.messages) == 1


def test_gzip_and_chunks() -> None:
    side = HttpSide()
    packed = gzip.compress(batch(TRACK))
    assert post(side, "batch", [packed[:10], packed[10:]], content_encoding="gzip").status == 200
    assert post(side, "b", [batch(TRACK)[:5], b"", batch(TRACK)[5:]]).status == 200
    assert len(side.recorder.messages) == 2


def test_every_message_of_segment_survives_a_batch() -> None:
    side = HttpSide()
    body = b'{"batch":[' + b",".join(SINGLE) + b'],"writeKey":"%b"}' % WRITE_KEY.encode()
    assert post(side, "import", body).status == 200
    assert len(side.recorder.messages) == len(SINGLE)
    for line, kept in zip(SINGLE, stored(side), strict=True):
        assert kept["properties"] == json.loads(line)["properties"] if b'"properties"' in line else True


def test_the_same_call_sent_again_is_the_same_message() -> None:
    """Though what was added differs: times, where none was given, and the address."""
    side = HttpSide()
    body = batch(
        {**TRACK, "messageId": "m", "_metadata": {"retryCount": 0}, "sentAt": "2024-01-01T00:00:00Z"}
    )
    again = body.replace(b'"retryCount": 0', b'"retryCount": 1').replace(b"T00:00:00Z", b"T00:01:00Z")
    for sent in (body, again):
        assert post(side, "b", sent).status == 200
    first, second = side.recorder.messages
    assert first.body != second.body
    assert (first.message_id, first.content, first.source, first.path) == (
        second.message_id,
        second.content,
        second.source,
        second.path,
    )
    assert side.counted('hookyard_messages_repeated_total{source="web"}') == 1


def test_the_same_words_by_another_path_are_another_message() -> None:
    side = HttpSide()
    body = keyed({"userId": "u", "messageId": "m"})
    post(side, "identify", body)
    post(side, "page", body)
    assert len({message.content for message in side.recorder.messages}) == 2


def test_a_message_is_matched_as_it_is_stored() -> None:
    """By the type of the path and the channel that was filled in."""
    side = HttpSide()
    post(side, "track", keyed({"event": "Order Completed", "userId": "u", "channel": "mobile"}))
    (message,) = side.recorder.messages
    assert (message.routes, message.users, message.covered) == (("all", "orders", "phones"), ("u",), False)


@pytest.mark.parametrize(
    ("items", "kept", "reasons"),
    [
        ([TRACK, None, 17, [], "text"], 1, {"null": 1, "not_an_object": 3}),
        ([TRACK, {**TRACK, "writeKey": "wrong"}], 1, {"invalid_write_key": 1}),
        ([{**TRACK, "pad": "x" * MAX_MESSAGE}, TRACK], 1, {"too_large": 1}),
        ([json.loads(nested(501)), TRACK], 1, {"too_deep": 1}),
    ],
)
def test_a_bad_item_costs_the_others_nothing(items: list[Any], kept: int, reasons: dict[str, int]) -> None:
    side = HttpSide()
    answer = post(side, "batch", batch(*items))
    assert (answer.status, len(side.recorder.messages)) == (200, kept)
    for reason, count in reasons.items():
        assert side.counted(f'hookyard_elements_refused_total{{reason="{reason}"}}') == count


def test_an_empty_batch_is_good() -> None:
    side = HttpSide()
    assert post(side, "batch", batch()).status == 200
    assert side.recorder.messages == []


def test_sizes_up_to_the_limits() -> None:
    side = HttpSide()
    assert post(side, "track", of_size(MAX_MESSAGE)).status == 200
    item = text({"a": "x" * (MAX_MESSAGE - 9)})
    assert len(item) == MAX_MESSAGE
    assert post(side, "batch", b'{"batch":[%b],"writeKey":"%b"}' % (item, WRITE_KEY.encode())).status == 200
    assert post(side, "batch", batch(*[{}] * MAX_ITEMS)).status == 200
    assert len(side.recorder.messages) == 2 + MAX_ITEMS


def test_a_large_batch_is_taken_apart_whole() -> None:
    """In a thread, as it takes a while."""
    side = HttpSide()
    body = batch(*[{**TRACK, "pad": "x" * 1900, "n": n} for n in range(250)])
    assert MAX_BATCH * 0.9 < len(body) < MAX_BATCH
    assert post(side, "batch", body).status == 200
    assert [message["n"] for message in stored(side)] == list(range(250))


def test_a_smaller_limit_of_bodies_holds_here_too() -> None:
    side = HttpSide(max_body=100)
    assert post(side, "batch", batch(TRACK, TRACK)).code == "payload_too_large"
