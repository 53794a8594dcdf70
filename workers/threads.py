"""The threads of sync handlers: as many as the drain works deliveries at a time, and counted when they hang.

A thread cannot be stopped. One that runs past its timeout keeps its slot until it comes back by itself; the
drain looks at `stuck` and leaves when too many do.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

T = TypeVar("T")


class Threads:
    """One pool per drain."""

    def __init__(self, size: int) -> None:
        self._pool = ThreadPoolExecutor(size, "hookyard-handler")
        self._overrun: set[Future[Any]] = set()

    @property
    def stuck(self) -> int:
        """Threads that were given up and have not come back."""
        return len(self._overrun)

    async def call(self, work: Callable[[], T]) -> T:
        """Run `work` in a thread, with this task's context variables. Cancelling gives the thread up."""
        future = self._pool.submit(copy_context().run, work)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if not future.cancel() and not future.done():
                self._overrun.add(future)
                future.add_done_callback(self._overrun.discard)
            raise

    def close(self) -> None:
        """Start nothing more; threads that run are not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)
