import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from tests.support.time import FakeClock
from workers.cache import Cache


class Service:
    """Answers what it is told to, when it is let go."""

    def __init__(self) -> None:
        self.asked = 0
        self.ended = 0
        self.answer = b"answer"
        self.error: Exception | None = None
        self.go = asyncio.Event()

    async def ask(self) -> bytes:
        self.asked += 1
        try:
            await self.go.wait()
            if self.error:
                raise self.error
            return self.answer
        finally:
            self.ended += 1


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


def test_an_answer_is_kept_for_as_long_as_the_asker_allows() -> None:
    async def test() -> None:
        clock, service = FakeClock(), Service()
        cache: Cache[str] = Cache(clock=clock)
        service.go.set()
        assert await cache.get("a", 30, service.ask) == b"answer"
        clock.forward(29)
        assert await cache.get("a", 30, service.ask) == b"answer"
        assert service.asked == 1
        await cache.get("b", 30, service.ask)
        assert service.asked == 2
        await cache.get("a", 10, service.ask)
        assert service.asked == 3
        clock.forward(11)
        await cache.get("a", 10, service.ask)
        assert service.asked == 4

    run(test())


def test_its_age_counts_from_the_question() -> None:
    async def test() -> None:
        clock, service = FakeClock(), Service()
        cache: Cache[str] = Cache(clock=clock)
        first = asyncio.create_task(cache.get("a", 30, service.ask))
        await asyncio.sleep(0)
        clock.forward(31)
        service.go.set()
        await first
        await cache.get("a", 30, service.ask)
        assert service.asked == 2

    run(test())


def test_the_same_question_is_asked_once_at_a_time() -> None:
    async def test() -> None:
        service = Service()
        cache: Cache[str] = Cache()
        waiting = [asyncio.create_task(cache.get("a", 30, service.ask)) for _ in range(5)]
        await asyncio.sleep(0)
        service.go.set()
        assert await asyncio.gather(*waiting) == [b"answer"] * 5
        assert service.asked == 1

    run(test())


def test_an_error_goes_to_all_who_wait_and_is_not_kept() -> None:
    async def test() -> None:
        service = Service()
        service.error = ValueError("no")
        cache: Cache[str] = Cache()
        waiting = [asyncio.create_task(cache.get("a", 30, service.ask)) for _ in range(3)]
        await asyncio.sleep(0)
        service.go.set()
        found = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(one) for one in found] == [ValueError] * 3
        service.error = None
        assert await cache.get("a", 30, service.ask) == b"answer"
        assert service.asked == 2

    run(test())


def test_who_gives_up_ends_the_question_only_when_nobody_else_waits() -> None:
    async def test() -> None:
        service = Service()
        cache: Cache[str] = Cache()
        impatient, patient = (asyncio.create_task(cache.get("a", 30, service.ask)) for _ in range(2))
        await asyncio.sleep(0)
        impatient.cancel()
        await asyncio.wait([impatient])
        assert service.ended == 0
        patient.cancel()
        await asyncio.wait([patient])
        again = [asyncio.create_task(cache.get("a", 30, service.ask))]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert service.ended == 1
        again.append(asyncio.create_task(cache.get("a", 30, service.ask)))
        await asyncio.sleep(0)
        service.go.set()
        assert await asyncio.gather(*again) == [b"answer"] * 2
        assert service.asked == 2

    run(test())


@pytest.mark.parametrize(("size", "kept"), [(10, 3), (1_000, 0)])
def test_what_was_not_used_for_longest_goes_first(size: int, kept: int) -> None:
    async def test() -> None:
        service = Service()
        service.answer = b"x" * size
        service.go.set()
        cache: Cache[int] = Cache(max_bytes=30)
        for number in (1, 2, 3, 1, 4):
            await cache.get(number, 30, service.ask)
        before = service.asked
        for number in (1, 3, 4):
            await cache.get(number, 30, service.ask)
        assert service.asked - before == 3 - kept

    run(test())


def test_closing_ends_what_is_asked() -> None:
    async def test() -> None:
        service = Service()
        cache: Cache[str] = Cache()
        waiting = asyncio.create_task(cache.get("a", 30, service.ask))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await cache.close()
        await asyncio.wait([waiting])
        assert (service.asked, service.ended) == (1, 1)

    run(test())
