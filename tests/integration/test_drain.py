"""A drain in this process against a real server: delivers, retries, resumes, gives back, hands over."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis

from receiver.core import duty, keys, scripts, store
from receiver.core.clients import connect
from receiver.core.clock import SYSTEM
from receiver.core.errors import StoreUnavailable
from receiver.core.fql import compile_fql
from receiver.core.message import Status
from receiver.core.queue import Jobs
from receiver.core.reading import Store
from receiver.core.routes import Config, Route
from receiver.core.settings import Settings
from receiver.core.steps.base import StepConfig
from receiver.core.steps.handler import HandlerSpec
from tests.support.stored import config, message, route
from workers import flight
from workers.api import Context, DropEvent, InvalidEventPayload, Message, RetryError
from workers.drain import Drain
from workers.setup import Setup

calls: list[tuple[str, int]] = []


async def ok(message: Message, context: Context) -> dict[str, Any]:
    calls.append((f"ok {message.number}", context.attempt))
    return {"number": message.number}


async def second_time(message: Message, context: Context) -> None:
    calls.append((f"second {message.number}", context.attempt))
    assert context.steps["first"] == {"number": message.number}
    if context.attempt == 1:
        raise RetryError("not yet")


async def regional(message: Message) -> dict[str, Any]:
    return {"region": message.settings["region"]}


async def stubborn(message: Message) -> None:
    calls.append((f"stubborn {message.number}", 0))
    if len(calls) > 1:
        return
    released = asyncio.Event()
    asyncio.get_running_loop().call_later(3.0, released.set)
    while not released.is_set():
        try:
            await released.wait()
        except asyncio.CancelledError:
            continue


async def closing(message: Message) -> None:
    raise GeneratorExit


def never(message: Message) -> None:
    raise InvalidEventPayload("no order id")


def unwanted(message: Message) -> None:
    raise DropEvent("a test order")


def broken(message: Message) -> None:
    raise RuntimeError("boom")


async def slow(message: Message) -> None:
    calls.append((f"slow {message.number}", 0))
    await asyncio.sleep(60)


gates: list[asyncio.Event] = []


async def gated(message: Message) -> None:
    """The second call fails for good; each waits for its gate."""
    gate, second = asyncio.Event(), bool(gates)
    gates.append(gate)
    await gate.wait()
    if second:
        raise InvalidEventPayload("the new one")


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    calls.clear()


class World:
    """A published configuration, its store, and drains on demand."""

    def __init__(self, url: str, conf: Config, drain_length: float = 300.0) -> None:
        self.redis: redis.Redis = connect(url)
        self.setup = Setup(
            settings=Settings(grace=0.2, drain_length=drain_length), config=conf, url=url, jobs=Jobs(url)
        )
        self.book = scripts.run_now(self.redis, store.publish(conf, now_ms=SYSTEM.now_ms(), serving="again"))
        self.store = Store(self.redis, self.setup.jobs)

    def accept(self, *routes: str) -> int:
        made = store.accept([message(*routes)], self.book, now_ms=SYSTEM.now_ms(), window_ms=1000)
        return scripts.run_now(self.redis, made).messages[0].number

    def drain(self, name: str = "drain-default-t1", queue: str = "default") -> Drain:
        return Drain(queue, name, self.setup, worker="test")

    def status(self, number: int) -> Status:
        return self.store.deliveries(number)[0].status

    async def until(self, condition: Callable[[], bool], drain: Drain) -> None:
        """Run the drain until the condition holds, then stop it and wait for its end."""
        running = asyncio.create_task(drain.run())
        async with asyncio.timeout(10):
            while not condition():
                if running.done():
                    await running
                    raise AssertionError("the drain ended early")
                await asyncio.sleep(0.005)
            drain.stop()
            await running


def make(
    url: str, *targets: str, retry: tuple[float, ...] = (0.01, 0.02), drain_length: float = 300.0
) -> World:
    steps = tuple(
        StepConfig(name=name, spec=HandlerSpec(target=f"{__name__}:{target}"), timeout_s=5.0)
        for name, target in zip(("first", "second"), targets, strict=False)
    )
    return World(url, config(Route(name="r", steps=steps, retry=retry)), drain_length=drain_length)


def test_it_delivers_and_signs_off_clean(redis_url: str) -> None:
    world = make(redis_url, "ok")
    numbers = [world.accept("r") for _ in range(50)]
    asyncio.run(world.until(lambda: world.redis.hlen(keys.key("OWED")) == 0, world.drain()))
    assert {name for name, _ in calls} == {f"ok {n}" for n in numbers}
    assert world.status(numbers[-1]) is Status.DELIVERED
    left = [*world.redis.scan_iter("*lease*"), *world.redis.scan_iter("*running*")]
    assert left == []
    assert world.redis.zcard(keys.key("DRAINS")) == 0


def test_the_next_attempt_resumes_at_the_failed_step(redis_url: str) -> None:
    world = make(redis_url, "ok", "second_time")
    number = world.accept("r")
    asyncio.run(world.until(lambda: world.status(number) is Status.DELIVERED, world.drain()))
    assert calls == [(f"ok {number}", 1), (f"second {number}", 1), (f"second {number}", 2)]
    (delivery,) = world.store.deliveries(number)
    assert [(one.code, one.trigger, one.step) for one in delivery.history] == [
        ("handler_retry", "live", "second"),
        ("ok", "retry", ""),
    ]


@pytest.mark.parametrize(
    ("target", "status", "code", "attempts"),
    [
        ("never", Status.DEAD, "invalid_event_payload", 1),
        ("unwanted", Status.DROPPED, "dropped", 1),
        ("broken", Status.DEAD, "handler_error", 3),
        ("closing", Status.DEAD, "handler_error", 3),
    ],
)
def test_how_it_ends(redis_url: str, target: str, status: Status, code: str, attempts: int) -> None:
    world = make(redis_url, target)
    number = world.accept("r")
    asyncio.run(world.until(lambda: world.status(number) is status, world.drain()))
    (delivery,) = world.store.deliveries(number)
    assert (delivery.code, delivery.attempts) == (code, attempts)
    assert delivery.error


def test_what_each_step_did_is_kept_over_the_attempts(redis_url: str) -> None:
    def step(name: str, target: str, **about: Any) -> StepConfig:
        return StepConfig(name=name, spec=HandlerSpec(target=f"{__name__}:{target}"), **about)

    steps = (
        step("note", "ok", when=compile_fql("type = 'page'")),
        step("first", "ok"),
        step("mail", "never", goes_on=True),
        step("second", "second_time"),
    )
    world = World(redis_url, config(Route(name="r", steps=steps, retry=(0.01,))))
    number = world.accept("r")
    asyncio.run(world.until(lambda: world.status(number) is Status.DELIVERED, world.drain()))
    assert calls == [(f"ok {number}", 1), (f"second {number}", 1), (f"second {number}", 2)]
    (delivery,) = world.store.deliveries(number)
    assert [dict(one.did) for one in delivery.history] == [
        {"note": "skipped", "first": "ok", "mail": "invalid_event_payload: no order id"},
        {"second": "ok"},
    ]


def test_a_delivery_that_worked_at_once_keeps_what_was_skipped(redis_url: str) -> None:
    spec = HandlerSpec(target=f"{__name__}:ok")
    steps = (StepConfig(name="note", spec=spec, when=compile_fql("type = 'page'")),)
    world = World(redis_url, config(Route(name="r", steps=steps, retry=())))
    number = world.accept("r")
    asyncio.run(world.until(lambda: world.status(number) is Status.DELIVERED, world.drain()))
    (delivery,) = world.store.deliveries(number)
    assert ([dict(one.did) for one in delivery.history], calls) == ([{"note": "skipped"}], [])


def test_a_stopped_drain_gives_back_what_did_not_finish(redis_url: str) -> None:
    world = make(redis_url, "slow")
    number = world.accept("r")
    world.redis.delete(keys.key("DUTY", "default"))  # what accept reserved; it would be the successor
    asyncio.run(world.until(lambda: bool(calls), world.drain()))
    (delivery,) = world.store.deliveries(number)
    assert (delivery.status, delivery.attempts) == (Status.QUEUED, 0)
    assert world.setup.jobs.waiting("default") == 1  # a successor for the work it leaves


def test_it_wakes_at_once_for_a_message_that_comes_while_it_is_idle(redis_url: str) -> None:
    world = make(redis_url, "ok")

    async def story() -> None:
        drain = world.drain()
        running = asyncio.create_task(drain.run())
        while not world.redis.exists(keys.key("DRAIN", "drain-default-t1")):
            await asyncio.sleep(0.01)
        for _ in range(3):
            before = len(calls)
            world.accept("r")
            async with asyncio.timeout(0.5):  # the idle wait itself is 1 s
                while len(calls) == before:
                    await asyncio.sleep(0.001)
        drain.stop()
        await running

    asyncio.run(story())


def test_a_drain_that_is_not_wanted_returns_at_once(redis_url: str) -> None:
    world = make(redis_url, "ok")
    made = duty.sign_on("default", "drain-default-9", now_ms=SYSTEM.now_ms(), worker="w", host="h", pid=1)
    scripts.run_now(world.redis, made)
    world.accept("r")
    asyncio.run(world.drain().run())
    assert calls == []


def test_it_hands_over_and_leaves_only_when_the_successor_is_there(redis_url: str) -> None:
    world = make(redis_url, "ok", drain_length=0.2)

    async def story() -> None:
        first = asyncio.create_task(world.drain("drain-default-t1").run())
        async with asyncio.timeout(10):
            while world.setup.jobs.waiting("default") == 0:
                await asyncio.sleep(0.01)
            number = world.accept("r")  # in between: the old one still works
            while world.status(number) is not Status.DELIVERED:
                await asyncio.sleep(0.01)
            assert not first.done()
            second = make(redis_url, "ok").drain("drain-default-t2")  # which stays on duty itself
            running = asyncio.create_task(second.run())
            await first
            second.stop()
            await running

    asyncio.run(story())


def test_routes_it_does_not_know_are_held_not_lost(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make(redis_url, "ok")
    drain = world.drain()
    newer = World(redis_url, config(route("r"), route("other"), version="newer"))
    number, known = newer.accept("other"), newer.accept("r")

    async def as_published(*, serving: store.Serving = "") -> store.Book:
        return newer.book  # a newer worker published after this drain did

    monkeypatch.setattr(drain._post, "publish", as_published)
    asyncio.run(newer.until(lambda: newer.status(known) is Status.DELIVERED, drain))
    assert newer.status(number) is Status.QUEUED


def test_a_claim_whose_answer_was_lost_is_given_back(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make(redis_url, "ok")
    number = world.accept("r")
    run = scripts.run
    lost: list[store.Turn] = []

    async def lossy(client: Any, made: scripts.Call[Any]) -> Any:
        answer = await run(client, made)
        if isinstance(answer, store.Turn) and answer.work and not lost:
            lost.append(answer)
            raise StoreUnavailable("the answer was lost on its way")
        return answer

    monkeypatch.setattr(scripts, "run", lossy)
    asyncio.run(world.until(lambda: world.status(number) is Status.DELIVERED, world.drain()))
    assert calls == [(f"ok {number}", 1)]


def test_a_store_that_was_emptied_is_served_again(redis_url: str, tmp_path: Path) -> None:
    world = make(redis_url, "ok")

    async def story() -> None:
        drain = world.drain()
        running = asyncio.create_task(drain.run())
        async with asyncio.timeout(10):
            while not world.redis.exists(keys.key("DRAIN", "drain-default-t1")):
                await asyncio.sleep(0.01)
            world.redis.flushall()
            world.book = scripts.run_now(
                world.redis, store.publish(world.setup.config, now_ms=SYSTEM.now_ms())
            )
            number = world.accept("r")
            while world.status(number) is not Status.DELIVERED:
                await asyncio.sleep(0.01)
        drain.stop()
        await running

    asyncio.run(story())


def test_what_an_emptied_store_had_in_flight_settles_nothing_of_the_new_one(redis_url: str) -> None:
    """Numbers begin again: without care the old success would stand for a message that failed."""
    world = make(redis_url, "gated")
    gates.clear()

    async def story() -> None:
        drain = world.drain()
        running = asyncio.create_task(drain.run())
        async with asyncio.timeout(10):
            old = world.accept("r")
            await _until(lambda: len(gates) == 1)
            world.redis.flushall()
            made = store.publish(world.setup.config, now_ms=SYSTEM.now_ms())
            world.book = scripts.run_now(world.redis, made)
            new = world.accept("r")
            assert new == old
            await _until(lambda: len(gates) == 2)
            gates[0].set()
            await _until(lambda: drain._flight.running == 1)
            gates[1].set()
            await _until(lambda: world.status(new) is not Status.RUNNING)
            assert world.status(new) is Status.DEAD
        drain.stop()
        await running

    asyncio.run(story())


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


def test_a_customers_settings_reach_the_handler(redis_url: str) -> None:
    world = make(redis_url, "regional")
    new = msgspec.structs.replace(message("r"), settings="eyJyZWdpb24iOiJldSJ9")
    made = store.accept([new], world.book, now_ms=SYSTEM.now_ms(), window_ms=1000)
    number = scripts.run_now(world.redis, made).messages[0].number
    asyncio.run(world.until(lambda: world.status(number) is Status.DELIVERED, world.drain()))
    stored = world.store.message(number)
    assert stored is not None
    assert (stored.covered, stored.routes) == (True, ("r",))


def test_a_handler_that_swallows_its_cancellation_is_left_behind(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flight, "PATIENCE_S", 0.1)
    monkeypatch.setattr(flight, "LOOK_S", 0.05)
    step = StepConfig(name="s", spec=HandlerSpec(target=f"{__name__}:stubborn"), timeout_s=0.1)
    world = World(redis_url, config(Route(name="r", steps=(step,), retry=(0.01,))))
    number = world.accept("r")
    asyncio.run(world.until(lambda: world.status(number) is Status.DELIVERED, world.drain()))
    (delivery,) = world.store.deliveries(number)
    assert [one.code for one in delivery.history] == ["timeout", "ok"]
    assert "swallowed" in delivery.history[0].error
