import asyncio
import threading
from contextvars import ContextVar

import pytest

from workers.threads import Threads

COLOUR = ContextVar("COLOUR", default="none")


def test_work_runs_elsewhere_with_the_callers_context() -> None:
    async def main() -> None:
        threads = Threads(2)
        COLOUR.set("blue")
        name, colour = await threads.call(lambda: (threading.current_thread().name, COLOUR.get()))
        assert name.startswith("hookyard-handler")
        assert colour == "blue"
        threads.close()

    asyncio.run(main())


def test_an_overrun_thread_counts_as_stuck_until_it_comes_back() -> None:
    async def main() -> None:
        threads, started, release = Threads(1), threading.Event(), threading.Event()

        def hang() -> None:
            started.set()
            release.wait(10)

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await threads.call(hang)
        assert started.is_set()
        assert threads.stuck == 1
        with pytest.raises(TimeoutError):  # the slot is taken, so this one never starts and is not stuck
            async with asyncio.timeout(0.01):
                await threads.call(started.clear)
        assert threads.stuck == 1
        release.set()
        await threads.call(lambda: None)
        assert threads.stuck == 0
        assert started.is_set()
        threads.close()

    asyncio.run(main())


def test_exceptions_come_back() -> None:
    async def main() -> None:
        threads = Threads(1)
        with pytest.raises(ZeroDivisionError):
            await threads.call(lambda: 1 // 0)
        threads.close()

    asyncio.run(main())
