import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest

from workers.limits import Limit, Limits

T = TypeVar("T")
LONG = 60.0
SHORT = 0.01


def run(story: Callable[[Limits], Coroutine[Any, Any, T]]) -> T:
    async def main() -> T:
        return await story(Limits())

    return asyncio.run(main())


async def overrun(limits: Limits, seconds: float = SHORT) -> Limit:
    """Run into a limit; answers it."""
    limit = limits.within(seconds)
    with pytest.raises(TimeoutError), limit:
        await asyncio.Event().wait()
    return limit


def test_what_ends_in_time_is_left_alone() -> None:
    async def story(limits: Limits) -> bool:
        with limits.within(SHORT) as limit:
            await asyncio.sleep(0)
        await asyncio.sleep(2 * SHORT)
        return limit.expired

    assert run(story) is False


def test_what_does_not_is_cancelled_and_the_task_goes_on() -> None:
    async def story(limits: Limits) -> None:
        for _ in range(2):
            assert (await overrun(limits)).expired
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0

    run(story)


def test_each_of_many_has_its_own_end() -> None:
    async def story(limits: Limits) -> list[bool]:
        async def one(number: int) -> bool:
            if number % 2:
                return (await overrun(limits, SHORT * (1 + number % 3))).expired
            with limits.within(SHORT * (1 + number % 3)) as limit:
                await asyncio.sleep(0)
            return limit.expired

        return await asyncio.gather(*(one(number) for number in range(50)))

    assert run(story) == [bool(number % 2) for number in range(50)]


def test_a_later_one_of_the_same_length_gets_its_full_time() -> None:
    async def story(limits: Limits) -> float:
        first = asyncio.create_task(overrun(limits, 2 * SHORT))
        await asyncio.sleep(SHORT)
        began = asyncio.get_running_loop().time()
        await overrun(limits, 2 * SHORT)
        await first
        return asyncio.get_running_loop().time() - began

    assert run(story) > 1.8 * SHORT


def test_the_shorter_of_two_ends_first_whichever_is_outside() -> None:
    async def story(limits: Limits) -> None:
        with limits.within(LONG) as outer:
            await overrun(limits)
        inner = limits.within(LONG)
        with pytest.raises(TimeoutError), limits.within(SHORT) as shorter, inner:
            await asyncio.Event().wait()
        assert (outer.expired, shorter.expired, inner.expired) == (False, True, False)

    run(story)


def test_somebody_elses_cancelling_goes_through() -> None:
    async def story(limits: Limits) -> None:
        async def endless() -> None:
            with limits.within(SHORT):
                try:
                    await asyncio.Event().wait()
                finally:
                    asyncio.current_task().cancel()  # type: ignore[union-attr]

        with pytest.raises(asyncio.CancelledError):
            await asyncio.create_task(endless())

        task = asyncio.create_task(overrun(limits, LONG))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(story)


def test_an_error_of_the_block_stays_what_it_is() -> None:
    async def story(limits: Limits) -> None:
        async def unclean() -> None:
            with limits.within(SHORT):
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    raise KeyError("from the clean-up") from None

        with pytest.raises(KeyError):
            await unclean()

    run(story)
