"""Reading bodies: time, disconnects, and memory."""

import asyncio
import gzip
import tracemalloc
from collections.abc import MutableMapping
from typing import Any

import pytest

from receiver import body
from receiver.core.errors import BodyTimeout, BodyTooLarge
from receiver.load import Load
from tests.support.http_side import HttpSide, exchange
from tests.support.segment import line


def test_a_client_that_went_away_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    side = HttpSide()
    started = {"type": "http.request", "body": b'{"type":', "more_body": True}
    answer = asyncio.run(exchange(side.app, "POST", "/hooks/open", {}, [started]))
    assert answer.status == 0
    assert side.recorder.messages == []
    assert side.counted('hookyard_requests_total{code="client_gone",endpoint="hooks"}') == 1
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_body_that_never_ends_arriving_is_408() -> None:
    async def receive() -> MutableMapping[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    async def story() -> None:
        load = Load(read_seconds=0.01)
        async with load.watched():
            with load.request() as share:
                await body.read_body({}, receive, 1000, share)

    with pytest.raises(BodyTimeout) as caught:
        asyncio.run(story())
    assert caught.value.status == 408


def test_exactly_the_cap_is_accepted_and_one_more_is_not() -> None:
    whole = line(2)
    assert HttpSide(max_body=len(whole)).send(whole).status == 200
    assert HttpSide(max_body=len(whole) - 1).send(whole).code == "body_too_large"
    packed = gzip.compress(whole)
    headers = {"content-encoding": "gzip"}
    assert HttpSide(max_body=len(whole)).send(packed, path="/hooks/open", headers=headers).status == 200
    assert (
        HttpSide(max_body=len(whole) - 1).send(packed, path="/hooks/open", headers=headers).code
        == "body_too_large"
    )


def test_a_bomb_costs_no_more_than_the_cap() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    cap = 1_000_000

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": bomb, "more_body": False}

    async def story() -> None:
        with Load().request() as share:
            await body.read_body({b"content-encoding": b"gzip"}, receive, cap, share)

    tracemalloc.start()
    with pytest.raises(BodyTooLarge):
        asyncio.run(story())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * cap


def test_a_stream_is_refused_at_the_cap_not_at_its_end() -> None:
    taken = 0

    async def receive() -> MutableMapping[str, Any]:
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": bytes(100), "more_body": True}

    async def story() -> None:
        with Load().request() as share:
            await body.read_body({}, receive, 1000, share)

    with pytest.raises(BodyTooLarge):
        asyncio.run(story())
    assert taken == 11
