"""MAIN PATH of the workers: claim → run steps → settle, until the time on duty is up.

One drain is one RQ job. Turn by turn, one call settles what has ended and claims what fits; deliveries run
concurrently in between. With nothing to do it sleeps on the queue's wake key. After `drain_length` it puts a
successor on duty, claims on until that one has signed on, and then only finishes what it has.
"""

import asyncio
import logging
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from receiver.core import scripts, store
from receiver.core.clients import connect_async
from receiver.core.errors import Unavailable
from receiver.core.queue import QUARANTINE
from receiver.core.store import Result, Turn, Work
from workers.duty import WAIT_S, Post
from workers.heart import Heart
from workers.lines import Lines
from workers.setup import Setup
from workers.toolbox import Toolbox

log = logging.getLogger("hookyard.drain")

IN_FLIGHT = 2_000
"""Deliveries one drain runs at once, over all routes of its queue."""
GROUP = 500
"""Most references claimed, and most results settled, in one turn: some milliseconds inside Redis."""
AGAIN_S = 0.5
LAST_S = 2.0
"""For what was cancelled to end, and to be given back."""
STUCK_THREADS = 8
"""Sync handlers that ran past their time and never came back: then the process is worth replacing."""
NOTHING = Turn()


class Drain:
    """A bounded stretch of work on one queue's backlogs; made and run inside one event loop."""

    def __init__(self, queue: str, drain: str, setup: Setup, *, worker: str) -> None:
        self._queue, self._id, self._setup, self._clock = queue, drain, setup, setup.clock
        self._quarantine = queue == QUARANTINE
        self._redis = connect_async(setup.url)
        self._changed = asyncio.Event()
        self._post = Post(self._redis, setup, queue=queue, drain=drain, worker=worker)
        self._running: dict[asyncio.Task[None], Work] = {}
        self._ended: list[Result] = []
        self._stopping = False
        self._doubtful = False

    def stop(self) -> None:
        """Claim nothing more; what runs may finish within the grace time, the rest is given back."""
        self._stopping = True
        self._changed.set()

    async def run(self) -> None:
        """Sign on, work, finish, sign off. Returns at once when this drain is not wanted (any more)."""
        setup = self._setup
        try:
            await self._publish(serving=False)
            if not await self._post.sign_on():
                return
            async with Toolbox.open(
                setup.config, setup.concurrency(self._queue), self._book.store_id
            ) as self._tools:
                self._lines = Lines(setup.config, self._tools, self._clock, self._book)
                with Heart(setup.url, self._clock, queue=self._queue, drain=self._id, orphaned=self.stop):
                    await self._work()
                    await self._finish()
        finally:
            await self._post.close()
            await self._redis.aclose()

    async def _work(self) -> None:
        """Turn by turn, until another drain is on duty or the process must stop."""
        while not self._stopping:
            self._changed.clear()
            try:
                turn = await self._turn()
                for work in turn.work:
                    task = asyncio.create_task(self._deliver(work, self._lines))
                    self._running[task] = work
                    task.add_done_callback(self._running.pop)
                worn = self._tools.stuck >= STUCK_THREADS
                if await self._post.is_over(turn, busy=bool(self._running), worn=worn):
                    return
            except Unavailable as error:
                log.warning("drain %s waits for Redis: %s", self._id, error)
                self._doubtful = True
                await asyncio.sleep(AGAIN_S)
            else:
                await self._wait(turn)

    async def _turn(self) -> Turn:
        """Settle what ended, claim what fits. Raises Unavailable; then both are tried again."""
        if self._doubtful:
            await self._give_back_unseen()
        room = 0 if self._quarantine else min(GROUP, IN_FLIGHT - len(self._running))
        turn = NOTHING
        if self._ended or room > 0:
            turn = await self._settle(claim=room)
        # One group of suspects at a time, or a crash would not tell who it was.
        if self._quarantine and not self._running and not self._ended:
            turn = await scripts.run(self._redis, store.claim_suspects(self._book, self._id))
        if turn.stale:
            await self._begin_anew()
        if (turn.stale or turn.lost) and not await self._post.sign_on():
            self._stopping = True
        return turn

    async def _settle(self, *, claim: int) -> Turn:
        results = self._ended[:GROUP]
        made = store.turn(
            self._book,
            self._queue,
            self._id,
            results,
            now_ms=self._clock.now_ms(),
            most=claim,
            excluded=self._lines.unknown,
            leaving=self._post.leaving,
            quarantine=self._quarantine,
        )
        turn = await scripts.run(self._redis, made)
        del self._ended[: len(results)]
        if turn.refused:
            log.warning("%d results came after their lease had ended", len(turn.refused))
        self._post.enqueue(turn.reserved)
        return turn

    async def _deliver(self, work: Work, lines: Lines) -> None:
        result = await lines.deliver(work)
        if lines is self._lines:  # else it is of a store that is gone; ours has another message by its number
            self._ended.append(result)
        self._changed.set()

    async def _wait(self, turn: Turn) -> None:
        """Until a delivery ends, the queue is woken, or the next retry is due."""
        if turn.more or self._ended:
            return  # what was claimed runs while the next call is on its way
        if len(self._running) < IN_FLIGHT:
            self._post.listen(self._changed.set)
        wait_s = WAIT_S
        if turn.next_due_ms:
            wait_s = min(WAIT_S, max(0.0, (turn.next_due_ms - self._clock.now_ms()) / 1000))
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._changed.wait()

    async def _finish(self) -> None:
        """Let what runs come to its end; once told to stop, for the grace time, and the rest is given back.
        What even then does not end, or cannot be settled, comes back when its lease ends."""
        with suppress(Unavailable):
            await self._post.step_down()
        await self._until_settled(lambda: self._stopping, self._setup.settings.grace)
        for task in self._running:
            task.cancel()
        await self._until_settled(lambda: True, LAST_S)
        await self._post.sign_off(stopping=True)

    async def _until_settled(self, hurried: Callable[[], bool], patience_s: float) -> None:
        """Until nothing runs and all is settled; once `hurried`, for no longer than `patience_s` more."""
        give_up_at = math.inf
        while (self._running or self._ended) and self._clock.monotonic() < give_up_at:
            if hurried():
                give_up_at = min(give_up_at, self._clock.monotonic() + patience_s)
            if self._running:
                await asyncio.wait(self._running, timeout=WAIT_S / 4, return_when=asyncio.FIRST_COMPLETED)
            try:
                if self._ended:
                    await self._settle(claim=0)
            except Unavailable as error:
                log.warning("drain %s cannot settle yet: %s", self._id, error)
                await asyncio.sleep(AGAIN_S)

    async def _give_back_unseen(self) -> None:
        """Redis may have run a claim whose answer never came: what it leased to us, nobody works."""
        leased = await self._post.leases()
        for ref in (*(work.ref for work in self._running.values()), *(result.ref for result in self._ended)):
            leased.pop(ref, None)
        self._ended += [store.given_back(ref, attempt) for ref, attempt in leased.items()]
        self._doubtful = False

    async def _begin_anew(self) -> None:
        """The store was emptied. What still runs is of the old one and counts no more; numbers begin again,
        so the ids made from them must differ."""
        await self._publish(serving=True)
        self._ended.clear()
        self._tools = replace(self._tools, store_id=self._book.store_id)
        self._lines = Lines(self._setup.config, self._tools, self._clock, self._book)

    async def _publish(self, *, serving: bool) -> None:
        """Learn what the store calls the routes; `serving` puts our configuration in force."""
        made = store.publish(self._setup.config, now_ms=self._clock.now_ms(), serving=serving)
        self._book = await scripts.run(self._redis, made)
