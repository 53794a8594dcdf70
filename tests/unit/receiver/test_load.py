"""What one process takes on: how many requests, how many bytes, and how long a body may take."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from receiver.core.errors import BodyTimeout, Overloaded
from receiver.load import Load


def watched(load: Load, story: Callable[[], Awaitable[None]]) -> None:
    """Run a story in a loop of its own while the load is watched."""

    async def run() -> None:
        async with load.watched():
            await story()

    asyncio.run(run())


async def read(load: Load, more: asyncio.Event) -> None:
    """A request whose body is complete when the event is set."""
    with load.request() as share:
        share.take(1, more=True)
        try:
            await more.wait()
        except asyncio.CancelledError:
            share.cancelled()
            raise
        share.take(1)


def test_requests_and_bytes_are_bounded_and_given_back() -> None:
    load = Load(max_requests=1, max_bytes=10)

    async def story() -> None:
        with load.request() as share:
            share.take(10)
            with pytest.raises(Overloaded):
                share.take(1)
            with pytest.raises(Overloaded), load.request():
                pass
        assert (len(load.shares), load.bytes) == (0, 0)
        with load.request() as share:
            share.take(10)

    asyncio.run(story())


def test_each_body_has_the_whole_time_and_hardly_more() -> None:
    load = Load(read_seconds=0.1)

    async def wait() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(BodyTimeout):
            await read(load, asyncio.Event())
        return loop.time() - began

    async def story() -> None:
        first = asyncio.create_task(wait())
        await asyncio.sleep(0.04)
        for seconds in await asyncio.gather(first, wait(), wait()):
            assert 0.095 <= seconds < 1
        assert (len(load.shares), load.bytes) == (0, 0)

    watched(load, story)


def test_what_comes_after_the_body_may_take_its_time() -> None:
    load = Load(read_seconds=0.01)

    async def story() -> None:
        with load.request() as share:
            share.take(1)
            await asyncio.sleep(0.05)

    watched(load, story)


def test_a_task_goes_on_after_its_timeout() -> None:
    load = Load(read_seconds=0.01)

    async def story() -> None:
        for _ in range(2):
            with pytest.raises(BodyTimeout):
                await read(load, asyncio.Event())
        complete = asyncio.Event()
        complete.set()
        await read(load, complete)
        await asyncio.sleep(0.03)

    watched(load, story)


def test_being_cancelled_by_somebody_else_is_no_timeout() -> None:
    async def story() -> None:
        task = asyncio.create_task(read(Load(), asyncio.Event()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(story())


def test_another_loop_can_take_over() -> None:
    load = Load(read_seconds=0.01)

    async def story() -> None:
        with pytest.raises(BodyTimeout):
            await read(load, asyncio.Event())

    for _ in range(2):
        watched(load, story)
