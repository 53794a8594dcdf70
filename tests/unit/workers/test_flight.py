import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest

from receiver.core.store import Result, Work
from workers import flight as flights
from workers.flight import MANY, Flight
from workers.lines import Lines


class Gate:
    """Lines whose deliveries end when they are told to; cancelled ones are given back."""

    ordered = frozenset({9})

    def __init__(self) -> None:
        self.open = asyncio.Event()

    async def deliver(self, work: Work) -> Result:
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            return Result(work.ref, 1, "b")
        return Result(work.ref, 1, "d")


class World:
    """A flight, how often it wanted its results settled, and lines for it."""

    def __init__(self) -> None:
        self.due = asyncio.Event()
        self.flight = Flight(self.due.set)
        self.gate = self.change()

    def change(self) -> Gate:
        gate = Gate()
        self.flight.use(cast(Lines, gate))
        return gate

    def start(self, *refs: str) -> None:
        self.flight.start(Work(ref, "1-1", b"\0{}", "shop|||1", "", "") for ref in refs)

    async def land(self) -> None:
        self.gate.open.set()
        while self.flight.running:
            await asyncio.sleep(0)


def run(story: Callable[[World], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        await story(World())

    asyncio.run(main())


def refs(results: list[Result]) -> list[str]:
    return [result.ref for result in results]


def test_results_stay_in_hand_until_they_are_settled() -> None:
    async def story(world: World) -> None:
        world.start("1:1:0", "2:1:0", "3:1:0")
        assert (world.flight.running, set(world.flight.references())) == (3, {"1:1:0", "2:1:0", "3:1:0"})
        await world.land()
        two = world.flight.results(2)
        assert refs(two) == refs(world.flight.results(2)) == ["1:1:0", "2:1:0"]
        world.flight.settled(two, urgent=False)
        assert refs(world.flight.results(2)) == list(world.flight.references()) == ["3:1:0"]
        world.flight.settled(world.flight.results(2), urgent=False)
        assert not world.flight

    run(story)


def test_a_few_results_wait_for_others_but_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flights, "SETTLE_S", 0.1)

    async def story(world: World) -> None:
        world.start("1:1:0")
        await world.land()
        assert not world.due.is_set()
        async with asyncio.timeout(5):
            await world.due.wait()

    run(story)


def test_what_others_of_its_ordering_key_wait_for_is_settled_at_once() -> None:
    async def story(world: World) -> None:
        world.start("1:1:0")
        await world.land()
        assert not world.due.is_set()
        world.start("2:9:0")
        await world.land()
        assert world.due.is_set()

    run(story)


def test_what_others_wait_for_the_slot_of_is_settled_at_once() -> None:
    async def story(world: World) -> None:
        world.flight.settled([], urgent=False, awaited=frozenset({7}))
        world.start("1:1:0")
        await world.land()
        assert not world.due.is_set()
        world.start("2:7:0")
        await world.land()
        assert world.due.is_set()

    run(story)


def test_many_do_not_wait() -> None:
    async def story(world: World) -> None:
        world.start(*(f"{n}:1:0" for n in range(MANY)))
        await world.land()
        assert world.due.is_set()

    run(story)


def test_nor_do_those_whose_slots_are_waited_for() -> None:
    async def story(world: World) -> None:
        world.flight.settled([], urgent=True)
        assert not world.due.is_set()
        world.start("1:1:0")
        await world.land()
        assert world.due.is_set()

    run(story)


def test_what_ended_during_the_call_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flights, "SETTLE_S", 0.001)

    async def story(world: World) -> None:
        first = world.flight.results(10)
        world.start("1:1:0")
        await world.land()
        world.flight.results(10)  # the call that is under way took it, and failed
        world.flight.settled(first, urgent=False)
        async with asyncio.timeout(5):
            await world.due.wait()

    run(story)


def test_what_ran_for_another_store_counts_no_more() -> None:
    async def story(world: World) -> None:
        world.start("1:1:0")
        world.flight.add([Result("2:1:0", 1, "d")])
        old, new = world.gate, world.change()
        world.start("1:1:0")
        old.open.set()
        while world.flight.running > 1:
            await asyncio.sleep(0)
        assert world.flight.results(10) == []
        new.open.set()
        while world.flight.running:
            await asyncio.sleep(0)
        assert refs(world.flight.results(10)) == ["1:1:0"]

    run(story)


def test_what_is_cancelled_comes_back() -> None:
    async def story(world: World) -> None:
        world.start("1:1:0")
        await world.flight.landing(0.001)
        assert world.flight.running == 1
        world.flight.cancel()
        await world.flight.landing(5)
        assert world.flight.results(10) == [Result("1:1:0", 1, "b")]
        assert (world.flight.running, bool(world.flight)) == (0, True)

    run(story)
