import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.coalescer import FLIGHTS, SPLIT_BUDGET, Answer, Coalescer
from workers.outcome import Dead, Done, Outcome, Retry

T = TypeVar("T")
GOOD = Answer(Done())


class Post:
    """Takes batches while its gate is open; refuses a whole batch that holds an item of `bad`."""

    def __init__(self, *bad: bytes) -> None:
        self.batches: list[list[bytes]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self._bad = set(bad)
        self._arrived = asyncio.Event()

    async def __call__(self, items: list[bytes]) -> Answer:
        self.batches.append(items)
        self._arrived.set()
        await self.gate.wait()
        return Answer(Dead("http_400"), blame=True) if self._bad.intersection(items) else GOOD

    async def seen(self, count: int) -> None:
        """Wait until `count` batches came."""
        while len(self.batches) < count:
            self._arrived.clear()
            await self._arrived.wait()


def send_all(
    post: Post, items: list[bytes], *, max_items: int = 100, max_bytes: int = 10_000
) -> list[Outcome]:
    async def main() -> list[Outcome]:
        coalescer = Coalescer(post, max_items=max_items, max_bytes=max_bytes)
        outcomes = await asyncio.gather(*(coalescer.send(item) for item in items))
        await coalescer.close()
        return outcomes

    return run(main())


def run(main: Coroutine[Any, Any, T]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(5):
            return await main

    return asyncio.run(bounded())


def test_what_is_sent_at_once_travels_together_in_order() -> None:
    post = Post()
    items = [b"%d" % number for number in range(50)]
    assert send_all(post, items) == [Done()] * 50
    assert post.batches == [items]


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=60))
def test_no_batch_exceeds_its_limits_and_no_item_is_lost(items: list[bytes]) -> None:
    post = Post()
    assert send_all(post, items, max_items=7, max_bytes=100) == [Done()] * len(items)
    assert [item for batch in post.batches for item in batch] == items
    for batch in post.batches:
        assert len(batch) <= 7
        assert sum(len(item) + 1 for item in batch) <= 100


def test_an_item_larger_than_a_batch_travels_alone() -> None:
    post = Post()
    send_all(post, [b"a", b"x" * 200, b"b"], max_bytes=100)
    assert post.batches == [[b"a"], [b"x" * 200], [b"b"]]


@given(st.sets(st.integers(0, 99), max_size=6))
def test_bad_items_are_found_and_the_others_get_through(bad: set[int]) -> None:
    items = [b"%d" % number for number in range(100)]
    outcomes = send_all(Post(*(items[number] for number in bad)), items)
    assert {number for number, outcome in enumerate(outcomes) if outcome == Dead("http_400")} == bad
    assert all(outcome == Done() for number, outcome in enumerate(outcomes) if number not in bad)


def test_the_search_for_bad_items_is_bounded_and_what_it_leaves_is_tried_again() -> None:
    items = [b"%d" % number for number in range(100)]
    post = Post(*items)
    outcomes = send_all(post, items)
    assert len(post.batches) <= SPLIT_BUDGET + 10
    assert {outcome.code for outcome in outcomes if isinstance(outcome, Retry)} == {"batch_refused"}
    assert any(isinstance(outcome, Dead) for outcome in outcomes)


def test_while_one_batch_travels_the_next_one_fills() -> None:
    async def main() -> None:
        post = Post()
        post.gate.clear()
        coalescer = Coalescer(post, max_items=100, max_bytes=10_000)
        first = asyncio.create_task(coalescer.send(b"1"))
        await post.seen(1)
        second, third = (asyncio.create_task(coalescer.send(item)) for item in (b"2", b"3"))
        await asyncio.sleep(0)
        post.gate.set()
        assert [await first, await second, await third] == [Done()] * 3
        assert post.batches == [[b"1"], [b"2", b"3"]]

    run(main())


def test_no_item_waits_for_a_batch_that_does_not_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.coalescer.WAIT_S", 0.001)

    async def main() -> None:
        post = Post()
        post.gate.clear()
        coalescer = Coalescer(post, max_items=100, max_bytes=10_000)
        tasks = []
        for number in range(FLIGHTS + 2):
            tasks.append(asyncio.create_task(coalescer.send(b"%d" % number)))
            await post.seen(min(number + 1, FLIGHTS))
        assert len(post.batches) == FLIGHTS
        post.gate.set()
        assert await asyncio.gather(*tasks) == [Done()] * (FLIGHTS + 2)
        assert sorted(post.batches[FLIGHTS:]) == [[b"8", b"9"]]

    run(main())


def test_a_cancelled_caller_takes_its_waiting_item_with_it() -> None:
    async def main() -> None:
        post = Post()
        coalescer = Coalescer(post, max_items=100, max_bytes=10_000)
        gone, stays = (asyncio.create_task(coalescer.send(item)) for item in (b"gone", b"stays"))
        await asyncio.sleep(0)
        gone.cancel()
        assert await stays == Done()
        assert post.batches == [[b"stays"]]
        with pytest.raises(asyncio.CancelledError):
            await gone

    run(main())


def test_closing_answers_what_waits_and_lets_arrive_what_travels() -> None:
    async def main() -> None:
        post = Post()
        post.gate.clear()
        coalescer = Coalescer(post, max_items=100, max_bytes=10_000)
        travels = asyncio.create_task(coalescer.send(b"1"))
        await post.seen(1)
        waits = asyncio.create_task(coalescer.send(b"2"))
        await asyncio.sleep(0)
        closing = asyncio.create_task(coalescer.close())
        assert await waits == Retry("stopping", "the worker stops")
        post.gate.set()
        await closing
        assert await travels == Done()
        assert await coalescer.send(b"3") == Retry("stopping", "the worker stops")
        assert post.batches == [[b"1"]]

    run(main())


def test_a_batch_that_never_comes_back_does_not_hold_the_closing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.coalescer.CLOSING_S", 0.01)

    async def main() -> None:
        post = Post()
        post.gate.clear()
        coalescer = Coalescer(post, max_items=100, max_bytes=10_000)
        caller = asyncio.create_task(coalescer.send(b"1"))
        await post.seen(1)
        await coalescer.close()
        assert await caller == Retry("stopping", "the worker stops")

    run(main())


def test_a_bug_while_sending_is_an_outcome() -> None:
    async def broken(items: list[bytes]) -> Answer:
        raise KeyError("oops")

    async def main() -> Outcome:
        return await Coalescer(broken, max_items=10, max_bytes=100).send(b"1")

    assert run(main()) == Retry("batch_error", "KeyError: 'oops'")
