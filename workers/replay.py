"""Walks a replay: page by page through the log, pushing references at the ordered rate, live traffic first.

The walk stands in the store, not here: killed at any moment, the next walker goes on where it stood.
"""

import asyncio
import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import cast

from redis import RedisError

from receiver.core import keys, records, replays, scripts
from receiver.core.clients import connect
from receiver.core.errors import Unavailable
from receiver.core.message import StoredMessage
from receiver.core.reading import Store
from receiver.core.replays import Progress
from receiver.core.today import Today
from workers.setup import Setup

log = logging.getLogger("hookyard.replay")

PAGE = 200
FAR_AHEAD = 1_000
"""References a route may have waiting from replays; the walk does not run further ahead than that."""
AGAIN_S = 0.5
BEAT_S = 3.0
"""Longest time between two signs of life: well below `replays.ORPHANED_MS`."""


class Replay:
    """One walker of one replay."""

    def __init__(self, replay: int, owner: str, setup: Setup) -> None:
        self._id = replay
        self._owner = owner
        self._setup = setup
        self._store = Store(connect(setup.url), setup.jobs, setup.clock)
        self._today = Today(setup.config)
        self._stop = asyncio.Event()
        self._next_at = 0.0

    def stop(self) -> None:
        """Leave at the next step; another walker goes on."""
        self._stop.set()

    def hand_over(self) -> None:
        """Leave as well: a walker that takes over goes by the configuration of its own process."""
        self.stop()

    async def run(self) -> None:
        """Walk until the end, or until the replay is paused, cancelled or somebody else's."""
        while not self._stop.is_set():
            try:
                wait_s = await asyncio.to_thread(self._step)
            except (Unavailable, RedisError, OSError) as error:
                log.warning("replay %d waits for Redis: %s", self._id, error)
                wait_s = AGAIN_S
            if wait_s is None:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._stop.wait()

    def _step(self) -> float | None:
        """One page, when the rate allows it. Answers how many seconds to wait before the next step, never so
        many that others take us for dead; None: the walk is over for us."""
        client, now_ms = self._store.redis, self._setup.clock.now_ms()
        owned = scripts.run_now(client, replays.own(self._id, self._owner, now_ms=now_ms))
        progress = replays.progress(client, self._id)
        if not owned.ok or progress is None:
            return None
        left_s = self._next_at - self._setup.clock.monotonic()
        if left_s > 0:
            return min(left_s, BEAT_S)
        numbers = self._store.route_numbers()
        if self._far_ahead(numbers[name] for name in progress.plan.routes or numbers):
            return AGAIN_S
        page, to = self._page(progress, max(1, min(PAGE, round(progress.plan.rate))))
        chosen = [message for message in page if progress.plan.selection.takes(message)]
        refs = dict(pair for message in chosen for pair in self._refs(message, progress, numbers))
        made = replays.step(
            self._id,
            refs,
            cursor=progress.cursor,
            to=to,
            scanned=len(page),
            matched=len(chosen),
            now_ms=now_ms,
        )
        stepped = scripts.run_now(client, made)
        self._setup.jobs.enqueue(stepped.reserved)
        self._next_at = self._setup.clock.monotonic() + len(refs) / progress.plan.rate
        return 0.0 if stepped.ok and stepped.state == "running" else None

    def _far_ahead(self, numbers: Iterable[int]) -> bool:
        pipe = self._store.redis.pipeline(transaction=False)
        for number in numbers:
            pipe.llen(keys.key("REPLAYING", number))
            pipe.zcard(keys.key("PARKED", number))
        return max(cast("Iterable[int]", pipe.execute()), default=0) > FAR_AHEAD

    def _page(self, progress: Progress, size: int) -> tuple[list[StoredMessage], int]:
        """The next messages that are kept, and the number the walk stands at after them."""
        wanted = progress.plan.selection.numbers
        if wanted:
            left = sorted(number for number in wanted if number > progress.cursor)
            to = left[size - 1] if len(left) > size else progress.last
            return list(self._store.messages(left[:size])), to
        page = self._store.page(progress.cursor + 1, progress.last, size)
        return page, page[-1].number if page else progress.last

    def _refs(
        self, message: StoredMessage, progress: Progress, numbers: dict[str, int]
    ) -> Iterator[tuple[str, str]]:
        """References, with their ordering keys."""
        for name in progress.plan.routes or self._today.routes(message):
            reference = records.Reference(message.number, numbers[name], self._id)
            yield str(reference), self._today.ordering_key(message, name) or ""
