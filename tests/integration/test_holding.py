"""A drain whose destinations fail: the breaker of a route holds it, a host that is down costs no attempts."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from receiver.core import scripts, store
from receiver.core.clock import SYSTEM
from receiver.core.message import Status
from receiver.core.routes import Route
from receiver.core.steps.base import StepConfig
from receiver.core.steps.handler import HandlerSpec
from receiver.core.steps.http import HttpSpec
from tests.integration.test_drain import World
from tests.support.destination import Destination
from tests.support.stored import config, message, route
from workers import hosts
from workers.api import Context, Message, RetryError
from workers.delivery import OVERTAKEN
from workers.hosts import IN_A_ROW


@pytest.fixture
def dead_port() -> Iterator[int]:
    """A port of loopback that takes no connections."""
    with contextlib.closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


def posting(name: str, port: int, *, concurrency: int = 20) -> Route:
    """A route that sends each message to that port of loopback."""
    step = StepConfig(
        name="http", spec=HttpSpec(url=f"http://127.0.0.1:{port}/", allow_private=True, method="POST")
    )
    return replace(route(name, concurrency=concurrency, retry=(60.0,)), steps=(step,))


def attempts(world: World, numbers: list[int]) -> list[int]:
    return [world.store.deliveries(number)[0].attempts for number in numbers]


def test_a_route_whose_destination_is_dead_holds_what_waits_without_counting_attempts(
    redis_url: str, dead_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    world = World(redis_url, config(posting("a", dead_port, concurrency=2)))
    numbers = [world.accept("a") for _ in range(30)]

    def shut() -> bool:
        (state,) = world.store.routes()
        return state.breaker.state == "open" and not state.running

    asyncio.run(world.until(shut, world.drain()))
    (state,) = world.store.routes()
    tried = attempts(world, numbers)
    assert IN_A_ROW <= sum(tried) <= IN_A_ROW + 2
    assert state.backlog >= 20
    assert state.breaker.reason.endswith(("the last with connect", "the last with host_down"))
    assert world.store.deliveries(numbers[-1])[0].status is Status.HELD
    assert "circuit breaker of route a: " in caplog.text


def test_what_goes_to_a_host_that_is_known_to_be_down_waits_and_no_attempt_counts(
    redis_url: str, dead_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosts, "FIRST_S", 0.2)
    world = World(redis_url, config(posting("a", dead_port), posting("b", dead_port)))
    first = [world.accept("a") for _ in range(IN_A_ROW)]
    late: list[int] = []

    def held() -> bool:
        if not late and sum(attempts(world, first)) == IN_A_ROW:
            late.append(world.accept("b"))
        return bool(late) and world.store.deliveries(late[0])[0].code == "host_down"

    drain = world.drain()
    asyncio.run(world.until(held, drain))
    (delivery,) = world.store.deliveries(late[0])
    assert (delivery.status, delivery.attempts, delivery.history) == (Status.WAITING, 0, ())


def test_a_route_with_two_hosts_loses_only_the_one_that_is_down(redis_url: str, dead_port: int) -> None:
    with Destination() as destination:
        both = Chooser.route(destination.url, f"http://127.0.0.1:{dead_port}")
        world = World(redis_url, config(both))
        numbers = [world.accept("both") for _ in range(60)]

        def over() -> bool:
            return all(
                world.store.deliveries(number)[0].status is Status.DELIVERED
                for number in numbers
                if number % 4
            )

        asyncio.run(world.until(over, world.drain()))
        (state,) = world.store.routes()
        assert state.breaker.state == "closed"
        held = [world.store.deliveries(number)[0] for number in numbers if number % 4 == 0]
        assert all(one.status is Status.WAITING for one in held)


@pytest.mark.parametrize(
    ("delay_s", "status"), [(2_000.0, Status.HELD), (7_200.0, Status.DELIVERED)], ids=["waits", "goes on"]
)
def test_a_key_waits_for_a_retry_but_not_for_one_in_more_than_an_hour(
    redis_url: str, delay_s: float, status: Status
) -> None:
    target = "tests.integration.test_holding:not_the_first"
    world = World(redis_url, config(route("a", target=target, retry=(delay_s,), order_by=("userId",))))
    for _ in range(2):
        made = message("a", order=(("a", "key"),))
        accepted = store.accept([made], world.book, now_ms=SYSTEM.now_ms(), window_ms=1000)
        scripts.run_now(world.redis, accepted)

    def over() -> bool:
        return world.status(1) is Status.WAITING and world.status(2) is status

    asyncio.run(world.until(over, world.drain()))
    (first,) = world.store.deliveries(1)
    assert (OVERTAKEN in first.history[0].error) == (status is Status.DELIVERED)
    (state,) = world.store.routes()
    assert state.counts.get("overtaken", 0) == (status is Status.DELIVERED)


async def not_the_first(message: Message) -> None:
    if message.number == 1:
        raise RetryError("not yet")


class Chooser:
    """One message in four goes to a host that is down."""

    urls = ("", "")

    @classmethod
    def route(cls, alive: str, dead: str) -> Route:
        cls.urls = (alive, dead)
        step = StepConfig(name="send", spec=HandlerSpec(target="tests.integration.test_holding:choose"))
        return replace(route("both", concurrency=4, retry=(60.0,)), steps=(step,))


async def choose(message: Message, context: Context) -> None:
    url = Chooser.urls[message.number % 4 == 0]
    answer = await context.http.post(f"{url}/", json={}, allow_private=True)
    answer.raise_for_status()
