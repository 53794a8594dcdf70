"""One limit for many waits."""

import asyncio

import pytest

from receiver.deadline import Deadline


def test_what_is_in_time_is_not_touched() -> None:
    async def story() -> list[int]:
        deadline = Deadline(10)

        async def work(value: int) -> int:
            await asyncio.sleep(0)
            return value

        return list(await asyncio.gather(*(deadline.hold(work(value)) for value in range(3))))

    assert asyncio.run(story()) == [0, 1, 2]


def test_each_wait_has_the_whole_time_and_not_more() -> None:
    async def story() -> None:
        deadline = Deadline(0.05)
        loop = asyncio.get_running_loop()

        async def wait() -> float:
            began = loop.time()
            with pytest.raises(TimeoutError):
                await deadline.hold(asyncio.Event().wait())
            return loop.time() - began

        first = asyncio.create_task(wait())
        await asyncio.sleep(0.02)
        for seconds in await asyncio.gather(first, wait(), wait()):
            assert 0.045 <= seconds < 1

    asyncio.run(story())


def test_a_task_goes_on_after_its_timeout() -> None:
    async def story() -> None:
        deadline = Deadline(0.01)
        for _ in range(2):
            with pytest.raises(TimeoutError):
                await deadline.hold(asyncio.Event().wait())
        assert await deadline.hold(asyncio.sleep(0, "fine")) == "fine"

    asyncio.run(story())


def test_being_cancelled_by_somebody_else_is_no_timeout() -> None:
    async def story() -> None:
        task = asyncio.create_task(Deadline(10).hold(asyncio.Event().wait()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(story())


def test_errors_come_through() -> None:
    async def broken() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        asyncio.run(Deadline(10).hold(broken()))


def test_another_loop_gets_a_timer_of_its_own() -> None:
    deadline = Deadline(0.01)
    for _ in range(2):
        with pytest.raises(TimeoutError):
            asyncio.run(deadline.hold(asyncio.Event().wait()))
