"""A drain whose connection has to wait: what waits with it costs no attempts, and its route has no blame."""

import asyncio
from dataclasses import replace

import pytest

from receiver.core.connections import Connection
from receiver.core.message import Status
from receiver.core.routes import Route
from receiver.core.settings import Secret
from receiver.core.steps.base import StepConfig
from receiver.core.steps.segment import SegmentSpec
from tests.integration.test_drain import World
from tests.support.destination import Answer
from tests.support.segment_stand_in import SegmentStandIn
from tests.support.stored import config

BUSY = Answer(status=429, headers={"Retry-After": "0.4"})


def a_world(redis_url: str, segment_url: str, rate_limit: float | None = None) -> World:
    """One route that may try twice, and tells `crm` of every message."""
    spec = SegmentSpec(connection="crm", call="track", fields={"userId": "u1", "event": "Seen"})
    tell = Route(name="tell", steps=(StepConfig(name="segment", spec=spec),), retry=(0.01,))
    crm = Connection(name="crm", write_key=Secret("key"), tracking_url=segment_url, rate_limit=rate_limit)
    return World(redis_url, replace(config(tell), connections={"crm": crm}))


def test_while_segment_is_busy_others_wait_without_an_attempt(redis_url: str) -> None:
    with SegmentStandIn(BUSY) as segment:
        world = a_world(redis_url, segment.url)
        first, later, seen = world.accept("tell"), list[int](), set[tuple[Status, int, str]]()

        def over() -> bool:
            if not later and world.store.deliveries(first)[0].attempts == 1:
                later.extend(world.accept("tell") for _ in range(20))
            found = [world.store.deliveries(number)[0] for number in later]
            seen.update((one.status, one.attempts, one.code) for one in found)
            return bool(found) and all(one.status is Status.DELIVERED for one in found)

        asyncio.run(world.until(over, world.drain()))
        (busy,) = world.store.deliveries(first)
        assert len(segment.requests) <= 3, "nobody asked again and again"
        assert len(segment.items) == 21
    assert [attempt.code for attempt in busy.history] == ["http_429", "ok"]
    assert (Status.WAITING, 0, "asked_to_wait") in seen
    assert {attempts for status, attempts, _ in seen if status is Status.DELIVERED} == {1}
    assert world.store.routes()[0].breaker.state == "closed"


def test_what_is_above_the_rate_waits_without_an_attempt(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.pace.PATIENCE_S", 0.02)
    with SegmentStandIn() as segment:
        world = a_world(redis_url, segment.url, rate_limit=20.0)
        numbers = [world.accept("tell") for _ in range(40)]

        def over() -> bool:
            return all(world.status(number) is Status.DELIVERED for number in numbers)

        asyncio.run(world.until(over, world.drain()))
        assert len(segment.items) == 40
    assert {world.store.deliveries(number)[0].attempts for number in numbers} == {1}
    assert world.store.routes()[0].breaker.state == "closed"
