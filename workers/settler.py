"""Gathers the results of attempts and settles them in groups: while one call is in flight the next fills."""

import asyncio
import logging
from collections.abc import Callable

import redis.asyncio

from receiver.core import scripts, store
from receiver.core.clock import Clock
from receiver.core.errors import Unavailable
from receiver.core.store import Reserved, Result

log = logging.getLogger("hookyard.settle")

GROUP = 500
"""Most results in one call."""
AGAIN_S = 0.5


class Settler:
    """Sends results as soon as the previous group is through; keeps them while Redis is away."""

    def __init__(
        self,
        client: "redis.asyncio.Redis",
        clock: Clock,
        *,
        drain: str,
        quarantine: bool,
        settled: Callable[[], None],
        reserved: Callable[[tuple[Reserved, ...]], None],
    ) -> None:
        self._redis = client
        self._drain = drain
        self._clock = clock
        self._quarantine = quarantine
        self._settled = settled
        self._reserved = reserved
        self._results: list[Result] = []
        self._task: asyncio.Task[None] | None = None
        self.refused = 0
        """Results that came too late: the lease was taken away, another drain runs the delivery again."""

    def add(self, result: Result) -> None:
        """Settle this result with the next group."""
        self._results.append(result)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._flush())

    @property
    def busy(self) -> bool:
        """Whether something is not settled yet."""
        return self._task is not None

    def unsettled(self) -> list[str]:
        """References whose results wait or are on their way."""
        return [result.ref for result in self._results]

    async def flush(self) -> None:
        """Wait until all is settled."""
        while self._task is not None:
            await asyncio.wait([self._task])

    async def _flush(self) -> None:
        try:
            while self._results:
                group = self._results[:GROUP]
                made = store.settle(
                    self._drain, group, now_ms=self._clock.now_ms(), quarantine=self._quarantine
                )
                try:
                    settled = await scripts.run(self._redis, made)
                except Unavailable as error:
                    log.warning("cannot settle %d results yet: %s", len(self._results), error)
                    await asyncio.sleep(AGAIN_S)
                    continue
                del self._results[: len(group)]
                if settled.refused:
                    self.refused += len(settled.refused)
                    log.warning("%d results came after their lease had ended", len(settled.refused))
                self._reserved(settled.reserved)
                self._settled()
        finally:
            self._task = None
