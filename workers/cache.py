"""Answers of slow services kept in memory for a short time, and asked for once by all who want them now.

In this process alone and never in Redis: what is read of people must not be stored by accident.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from receiver.core.clock import SYSTEM, Clock

K = TypeVar("K", bound=Hashable)

MAX_BYTES = 16_000_000
"""Of all answers together; the one that was not used for longest goes first."""


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: bytes
    asked_at: float


@dataclass(slots=True)
class _Asking:
    task: "asyncio.Task[bytes]"
    waiters: int = 0


class Cache(Generic[K]):
    """One per drain; for one event loop."""

    def __init__(self, *, max_bytes: int = MAX_BYTES, clock: Clock = SYSTEM) -> None:
        self._max_bytes = max_bytes
        self._clock = clock
        self._kept: OrderedDict[K, _Kept] = OrderedDict()
        self._size = 0
        self._asking: dict[K, _Asking] = {}

    async def get(self, key: K, max_age_s: float, ask: Callable[[], Coroutine[Any, Any, bytes]]) -> bytes:
        """The answer kept for `key` if it is not older than that, else what `ask` answers. Whoever wants the
        same meanwhile waits for it too, and what it raises is raised to all."""
        kept = self._kept.get(key)
        if kept is not None:
            if self._clock.monotonic() - kept.asked_at < max_age_s:
                self._kept.move_to_end(key)
                return kept.answer
            self._forget(key)
        return await self._wait(key, self._asking.get(key) or self._begin(key, ask))

    async def close(self) -> None:
        """End what is still asked; nobody waits for it any more."""
        tasks = [asking.task for asking in self._asking.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, key: K, ask: Callable[[], Coroutine[Any, Any, bytes]]) -> _Asking:
        asked_at = self._clock.monotonic()

        async def answered() -> bytes:
            answer = await ask()
            self._keep(key, _Kept(answer, asked_at))
            return answer

        asking = self._asking[key] = _Asking(asyncio.create_task(answered()))
        asking.task.add_done_callback(lambda _task: self._end(key, asking))
        return asking

    def _end(self, key: K, asking: _Asking) -> None:
        """Whoever comes now asks anew; the question may have been begun again already."""
        if self._asking.get(key) is asking:
            del self._asking[key]

    async def _wait(self, key: K, asking: _Asking) -> bytes:
        """One who gives up ends the question only if nobody else waits for its answer."""
        asking.waiters += 1
        try:
            return await asyncio.shield(asking.task)
        finally:
            asking.waiters -= 1
            if not asking.waiters and not asking.task.done():
                self._end(key, asking)
                asking.task.cancel()

    def _keep(self, key: K, kept: _Kept) -> None:
        self._forget(key)
        self._kept[key] = kept
        self._size += len(kept.answer)
        while self._size > self._max_bytes:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: K) -> None:
        if (kept := self._kept.pop(key, None)) is not None:
            self._size -= len(kept.answer)
