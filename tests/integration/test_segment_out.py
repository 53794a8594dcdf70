"""Calls to Segment, from steps and from handlers, against a stand-in with Segment's limits."""

import asyncio
import json
from typing import Any

import pytest

from receiver.core.clock import SYSTEM
from receiver.core.segment.request import one
from receiver.core.steps.segment import SegmentSpec
from tests.support.destination import Answer, Destination
from tests.support.outbound import (
    a_context,
    a_message,
    a_step,
    called,
    output,
    with_tools,
)
from tests.support.segment_stand_in import SegmentStandIn, refusal
from workers import steps
from workers.outcome import Dead, Done, Outcome, Retry
from workers.toolbox import Toolbox

SEEN = b'{"type":"track","event":"Seen","userId":"u1"}'


def track(server: SegmentStandIn, users: list[Any], **fields: Any) -> list[Outcome]:
    """One step per user, all at once."""
    spec = SegmentSpec(
        connection="crm", call="track", fields={"userId": "{{ userId }}", "event": "Seen", **fields}
    )

    async def work(tools: Toolbox) -> list[Outcome]:
        step = steps.build(a_step(spec), tools)
        messages = [a_message({"userId": user}, number=number) for number, user in enumerate(users)]
        return await asyncio.gather(*(step.run(message, a_context(tools, message)) for message in messages))

    return with_tools(work, segment_url=server.url)


def test_concurrent_deliveries_share_a_request() -> None:
    with SegmentStandIn() as server:
        outcomes = track(server, [f"u{number}" for number in range(200)])
        assert len(server.requests) == 1
        envelope = server.requests[0].json()
    assert [item["userId"] for item in server.items] == [f"u{number}" for number in range(200)]
    ids = [item["messageId"] for item in server.items]
    assert ids == [output(outcome)["messageId"] for outcome in outcomes]
    assert len(set(ids)) == 200
    assert set(envelope) == {"batch", "sentAt"}


def test_batches_stay_within_segments_limits() -> None:
    with SegmentStandIn() as server:
        assert all(isinstance(outcome, Done) for outcome in track(server, list(range(6_000))))
        assert len(server.items) == 6_000
    with SegmentStandIn() as server:
        outcomes = track(server, list(range(40)), properties={"text": "x" * 30_000})
        assert all(isinstance(outcome, Done) for outcome in outcomes)
        assert len(server.items) == 40


def test_a_bad_item_costs_the_others_nothing() -> None:
    with SegmentStandIn(refuses=lambda item: item["userId"] == "bad") as server:
        outcomes = track(server, ["u1", "u2", "bad", "u3", "u4"])
    assert [type(outcome) for outcome in outcomes] == [Done, Done, Dead, Done, Done]
    assert sorted(item["userId"] for item in server.items) == ["u1", "u2", "u3", "u4"]
    assert "refused for one of its items" in getattr(outcomes[2], "error", "")


def test_a_wrong_key_is_found_with_one_request() -> None:
    with SegmentStandIn(key="another") as server:
        outcomes = track(server, list(range(100)))
        assert len(server.requests) == 1
    assert {getattr(outcome, "code", "") for outcome in outcomes} == {"http_400"}


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_segment_makes_every_delivery_of_the_batch_wait(status: int) -> None:
    busy = Answer(status=status, headers={"X-RateLimit-Reset": "12"})
    with SegmentStandIn(busy) as server:
        outcomes = track(server, ["u1", "u2"])
    assert [getattr(outcome, "after_s", None) for outcome in outcomes] == [12.0, 12.0]
    assert all(isinstance(outcome, Retry) for outcome in outcomes)


def test_what_segment_would_drop_is_not_sent() -> None:
    with SegmentStandIn() as server:
        (outcome,) = track(server, [{"id": 1}], properties="text", timestamp="yesterday")
        assert server.requests == []
    assert isinstance(outcome, Dead)
    assert outcome.code in ("invalid_segment_call", "template_error")


@pytest.mark.parametrize("name", ["post_async", "post_sync"])
def test_handlers_share_the_client(name: str) -> None:
    with Destination(
        Answer(), Answer(status=503, headers={"Retry-After": "9"}), Answer(status=404)
    ) as destination:
        assert called(name, url=destination.url) == Done({"success": True})
        assert destination.requests[0].json() == {"id": "msg_17"}
        busy, missing = called(name, url=destination.url), called(name, url=destination.url)
    assert isinstance(busy, Retry)
    assert (busy.code, busy.after_s) == ("http_503", 9.0)
    assert isinstance(missing, Dead)
    assert missing.code == "http_404"


def test_a_handlers_calls_keep_their_ids_over_attempts() -> None:
    with SegmentStandIn() as server:
        first = called("track_async", segment_url=server.url)
        second = called("track_async", segment_url=server.url, attempt=2)
        assert isinstance(called("track_sync", segment_url=server.url), Done)
    assert first == second
    assert isinstance(first, Done)
    assert isinstance(first.output, list)
    assert len(set(first.output)) == 3  # the same call made twice is two messages
    assert [item["type"] for item in server.items[:3]] == ["identify", "track", "track"]


def test_a_handlers_failed_call_decides_over_its_delivery() -> None:
    with SegmentStandIn(refusal(400, "no"), Answer(status=429, headers={"Retry-After": "4"})) as server:
        dead = called("track_sync", segment_url=server.url)
        waits = called("track_async", segment_url=server.url)
    assert isinstance(dead, Dead)
    assert dead.code == "http_400"
    assert isinstance(waits, Retry)
    assert (waits.code, waits.after_s) == ("http_429", 4.0)
    assert json.dumps(dead.error).endswith('400: no"')


def test_after_a_429_nothing_else_is_sent_until_its_time_is_up() -> None:
    busy = Answer(status=429, headers={"Retry-After": "60"})

    async def work(tools: Toolbox) -> list[Outcome]:
        sender = tools.segment("crm")
        first = await sender.send(b'{"type":"track"}')
        return [first, *await asyncio.gather(*(sender.send(b'{"type":"track"}') for _ in range(20)))]

    with SegmentStandIn(busy) as server:
        outcomes = with_tools(work, segment_url=server.url)
        assert len(server.requests) == 1
    assert {getattr(outcome, "code", "") for outcome in outcomes} == {"http_429", "asked_to_wait"}
    assert all(50 < getattr(outcome, "after_s", 0) <= 60 for outcome in outcomes)


def test_a_connection_keeps_its_rate_over_all_it_sends(redis_url: str) -> None:
    async def work(tools: Toolbox) -> None:
        sender = tools.segment("crm")
        await asyncio.gather(
            *(sender.exchange("tracking", one(sender.connection, "track", SEEN)) for _ in range(30))
        )

    with SegmentStandIn() as server:
        began = SYSTEM.monotonic()
        with_tools(work, segment_url=server.url, redis_url=redis_url, rate_limit=100.0)
        assert 0.15 < SYSTEM.monotonic() - began < 5
        assert len(server.items) == 30


def test_what_is_above_the_rate_for_long_comes_again(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.pace.PATIENCE_S", 0.05)

    async def work(tools: Toolbox) -> list[Outcome]:
        sender = tools.segment("crm")
        return await asyncio.gather(*(sender.send(SEEN) for _ in range(20)))

    with SegmentStandIn() as server:
        outcomes = with_tools(work, segment_url=server.url, redis_url=redis_url, rate_limit=1.0)
        sent = len(server.items)
    assert sent == outcomes.count(Done()) == 1
    assert {getattr(outcome, "code", "") for outcome in outcomes if outcome != Done()} == {"rate_limited"}


def test_batches_to_segment_itself_go_compressed(monkeypatch: pytest.MonkeyPatch) -> None:
    with SegmentStandIn() as server:
        track(server, list(range(100)))
        monkeypatch.setattr("workers.sender.SEGMENTS_OWN", {server.url})
        track(server, list(range(100)))
        plain, packed = (seen.headers for seen in server.requests)
        assert server.items[:100] == server.items[100:]
    assert "content-encoding" not in plain
    assert packed["content-encoding"] == "gzip"
    assert int(packed["content-length"]) < int(plain["content-length"]) / 3
