"""What is accepted, and what the committer gets of it."""

import asyncio
import gzip
import threading
import zlib
from collections.abc import Callable

import pytest

from receiver import intake
from receiver.core.clock import SYSTEM, iso
from receiver.core.facts import DIGEST_BYTES
from receiver.core.message import NewMessage
from receiver.load import Load
from receiver.schemes.base import Verified
from receiver.split import Elements, split
from tests.support.http_side import OLD_SECRET, SECRET, HttpSide
from tests.support.segment import SINGLE, batch, envelope, line, nested, wrapped
from tests.support.sender import signed

TRACK = line(2)


def only(side: HttpSide) -> NewMessage:
    assert len(side.recorder.messages) == 1
    return side.recorder.messages[0]


def test_a_good_delivery_is_answered_with_exactly_this() -> None:
    answer = HttpSide().send(TRACK)
    assert (answer.status, answer.body) == (200, b'{"success":true}')
    assert answer.headers["content-type"] == "application/json"


def test_a_message_is_handed_over_with_all_it_says_about_itself() -> None:
    side = HttpSide()
    side.send(line(9))
    message = only(side)
    assert message.body == line(9)
    assert (message.source, message.path, message.covered) == ("shop", "shop", True)
    assert message.message_id is not None
    assert message.message_id in line(9).decode()
    assert len(message.users) > 0
    assert len(message.content) == DIGEST_BYTES
    assert message.routes == ("all", "orders")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize("path", ["/hooks/shop", "/hooks/shop/", "/hooks/shop//", "/hooks//shop"])
def test_methods_and_slashes(method: str, path: str) -> None:
    side = HttpSide()
    assert side.send(TRACK, method=method, path=path).status == 200
    assert only(side).path == "shop"


def test_a_path_of_its_own_feeds_only_the_routes_it_names() -> None:
    side = HttpSide()
    side.send(line(9), path="/hooks/shop/crm/")
    assert (only(side).source, only(side).path, only(side).routes) == ("shop", "shop/crm", ("orders",))


def test_a_disabled_source_is_kept_and_feeds_nothing() -> None:
    side = HttpSide()
    assert side.send(line(9), path="/hooks/off", headers={}).status == 200
    assert only(side).routes == ()


def test_an_old_message_of_a_batch_costs_the_others_nothing() -> None:
    side = HttpSide()
    new = b'{"type":"track","receivedAt":"%b"}' % iso(SYSTEM.now_ms()).encode()
    assert side.send(batch(TRACK, new), path="/hooks/young", headers={}).status == 200
    assert side.recorder.bodies == [new]


def test_the_channel_is_read_where_a_route_asks_for_it() -> None:
    side = HttpSide()
    side.send(batch(line(19), line(9)), path="/hooks/open", headers={})
    assert [message.routes for message in side.recorder.messages] == [("all", "phones"), ("all", "orders")]


@pytest.mark.parametrize("number", range(1, len(SINGLE) + 1))
def test_every_body_segment_sends_is_kept_byte_for_byte(number: int) -> None:
    side = HttpSide()
    assert side.send(line(number)).status == 200
    assert side.recorder.bodies == [line(number)]
    assert "all" in only(side).routes


@pytest.mark.parametrize("shape", [batch, wrapped, envelope])
def test_every_body_is_kept_byte_for_byte_in_a_batch(shape: Callable[..., bytes]) -> None:
    side = HttpSide()
    assert side.send(shape(*SINGLE)).status == 200
    assert side.recorder.bodies == list(SINGLE)
    assert all(message.covered for message in side.recorder.messages)


def test_the_two_batches_of_the_file() -> None:
    side = HttpSide()
    side.send(line(37), over=line(2))
    side.send(line(38), over=line(19))
    assert side.recorder.bodies == [line(2), line(9), line(3), line(19), line(20)]
    assert [message.covered for message in side.recorder.messages] == [True, False, False, True, False]


def test_the_deepest_message_that_is_kept() -> None:
    side = HttpSide()
    assert side.send(nested(500)).status == 200
    assert side.send(batch(nested(500), TRACK)).status == 200
    assert side.recorder.bodies == [nested(500), nested(500), TRACK]


def test_an_unsigned_source_covers_nothing() -> None:
    side = HttpSide()
    side.send(TRACK, path="/hooks/open", headers={})
    assert only(side).covered is False


def test_any_of_the_secrets_will_do_and_the_case_of_the_digits_too() -> None:
    side = HttpSide()
    assert side.send(TRACK, headers=signed(TRACK, OLD_SECRET)).status == 200
    upper = {"x-signature": signed(TRACK, SECRET)["x-signature"].upper()}
    assert side.send(TRACK, headers=upper).status == 200


@pytest.mark.parametrize(
    ("encoding", "sent"),
    [
        ("gzip", gzip.compress(TRACK)),
        ("X-GZIP", gzip.compress(TRACK)),
        ("deflate", zlib.compress(TRACK)),
        ("deflate", zlib.compress(TRACK, wbits=-15)),
        ("identity", TRACK),
        ("", TRACK),
    ],
)
def test_encodings(encoding: str, sent: bytes) -> None:
    side = HttpSide()
    halves = [sent[:100], sent[100:]]
    headers = signed(TRACK, SECRET) | {"content-encoding": encoding}
    assert side.send(halves, headers=headers).status == 200
    assert side.recorder.bodies == [TRACK]


@pytest.mark.parametrize(
    "body",
    [
        b'{"hello":"world"}',
        b"{}",
        b'{"type":7,"messageId":{},"userId":[]}',
        b'{"type":"track","batch":[{"type":"track"}]}',
        b'{"batch":{"size":3}}',
        b'{"json":"text"}',
        b'{"json":{"type":"track"},"more":1}',
        rb'{"type":"track","event":"\ud83d","userId":"\udc00","messageId":"a\ud83d"}',
        rb'{"type":"track","\ud83d":1,"context":{"library":{"name":"\ud83d"}}}',
        b'{"type":"track","userId":1e400,"messageId":123456789012345678901234567890}',
        b'{"type":"track","properties":{"n":' + b"9" * 5000 + b"}}",
        b'{"type":"track","messageId":' + b"9" * 5000 + b"}",
        b'{"type":"track","type":"page"}',
        b' \r\n\t{ "type" : "track" } \n',
    ],
)
def test_odd_objects_are_accepted_and_kept_as_they_are(body: bytes) -> None:
    side = HttpSide()
    assert side.send(body).status == 200
    assert side.recorder.bodies == [body]
    for text in (only(side).message_id, *only(side).users):
        (text or "").encode()  # can be written to Redis


@pytest.mark.parametrize("body", [b"[]", b" [ ] ", b'{"batch":[]}', b"[null]"])
def test_an_empty_batch_is_fine_and_stores_nothing(body: bytes) -> None:
    side = HttpSide()
    assert side.send(body, path="/hooks/open", headers={}).body == b'{"success":true}'
    assert side.recorder.messages == []


def test_broken_elements_do_not_cost_the_others(caplog: pytest.LogCaptureFixture) -> None:
    side = HttpSide()
    large = b'{"type":"track","event":"' + b"a" * 512_000 + b'"}'
    deep = b'{"type":"track","a":' + b"[" * 1100 + b"]" * 1100 + b"}"
    odd = rb'{"type":"track","event":"\ud83d"}'
    body = batch(TRACK, b"null", b"7", large, deep, odd, b'{"json":null}', b"[{}]", line(9))
    assert side.send(body, over=TRACK).status == 200
    assert side.recorder.bodies == [TRACK, odd, b'{"json":null}', line(9)]
    assert [message.covered for message in side.recorder.messages] == [True, False, False, False]
    for reason, count in {"null": 1, "not_an_object": 2, "too_large": 1, "too_deep": 1}.items():
        assert side.counted(f'hookyard_elements_refused_total{{reason="{reason}"}}') == count
    record = next(record for record in caplog.records if "refused" in record.message)
    assert record.__dict__["places"] == [1, 2, 3, 4, 7]


def test_a_place_in_the_batch_is_counted_before_the_refusals() -> None:
    side = HttpSide()
    side.send(batch(b"null", TRACK), over=b"null")
    assert [message.covered for message in side.recorder.messages] == [False]


def test_repeats_are_counted_apart() -> None:
    side = HttpSide()
    side.send(TRACK)
    assert side.send(TRACK).body == b'{"success":true}'
    assert side.counted('hookyard_messages_accepted_total{source="shop"}') == 1
    assert side.counted('hookyard_messages_repeated_total{source="shop"}') == 1
    assert side.counted("hookyard_commit_seconds_count") == 2


def test_nobody_is_answered_before_the_commit() -> None:
    async def story() -> None:
        side = HttpSide()
        side.recorder.gate = asyncio.Event()
        asked = asyncio.create_task(side.ask(TRACK))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not asked.done()
        assert side.counted("hookyard_requests_in_progress") == 1
        side.recorder.gate.set()
        assert (await asked).status == 200
        assert side.counted("hookyard_requests_in_progress") == 0

    asyncio.run(story())


def test_nobody_waits_while_a_large_body_is_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    other_was_answered = threading.Event()

    def slow(verified: Verified, max_message: int) -> Elements:
        if len(verified.body) > intake.LARGE:
            assert other_was_answered.wait(10)
        return split(verified, max_message)

    async def story() -> None:
        monkeypatch.setattr(intake, "split", slow)
        side = HttpSide()
        large = asyncio.create_task(side.ask(batch(*SINGLE * 10)))
        await asyncio.sleep(0)
        assert (await side.ask(TRACK)).status == 200
        other_was_answered.set()
        assert (await large).status == 200
        assert len(side.recorder.messages) == 1 + 10 * len(SINGLE)

    asyncio.run(story())


def test_more_requests_than_may_be_in_progress_are_told_to_come_back() -> None:
    async def story() -> None:
        side = HttpSide(load=Load(max_requests=1))
        side.recorder.gate = asyncio.Event()
        first = asyncio.create_task(side.ask(TRACK))
        await asyncio.sleep(0)
        second = await side.ask(TRACK)
        assert (second.status, second.code, second.headers["retry-after"]) == (503, "overloaded", "1")
        side.recorder.gate.set()
        assert (await first).status == 200
        assert (await side.ask(TRACK)).status == 200

    asyncio.run(story())


def test_large_bodies_together_are_bounded_and_the_bound_is_given_back() -> None:
    side = HttpSide(load=Load(max_bytes=len(TRACK)))
    assert side.send(batch(TRACK, TRACK)).code == "overloaded"
    assert side.send(TRACK).status == 200
    assert side.send(TRACK).status == 200


FORM = b"type=track&event=Order+Completed&userId=usr_1&properties=%5Bobject+Object%5D"
FORM_AS_JSON = b'{"type":"track","event":"Order Completed","userId":"usr_1","properties":"[object Object]"}'


def test_a_form_is_a_message_of_texts() -> None:
    side = HttpSide()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert side.send(FORM, path="/hooks/open", headers=headers).status == 200
    assert only(side).body == FORM_AS_JSON
    assert only(side).routes == ("all", "orders")


def test_a_form_inside_a_batch_item_is_taken_out() -> None:
    side = HttpSide()
    item = b'{"body":"' + FORM + b'"}'
    assert side.send(b"[" + item + b"," + TRACK + b"]", path="/hooks/open").status == 200
    assert side.recorder.bodies == [FORM_AS_JSON, TRACK]


def test_json_that_curl_calls_a_form_is_json() -> None:
    side = HttpSide()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert side.send(TRACK, path="/hooks/open", headers=headers).status == 200
    assert only(side).body == TRACK


def test_a_partner_customers_settings_go_with_its_messages() -> None:
    side = HttpSide()
    headers = {"x-segment-settings": "eyJyZWdpb24iOiJldSJ9"}
    assert side.send(TRACK, path="/hooks/open", headers=headers).status == 200
    assert only(side).settings == "eyJyZWdpb24iOiJldSJ9"
    refused = side.send(TRACK, path="/hooks/open", headers={"x-segment-settings": "{}"})
    assert (refused.status, refused.code) == (400, "malformed_settings")
