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

from receiver.core.errors import Unavailable
from receiver.core.store import Turn
from workers.duty import WAIT_S, Post
from workers.flight import Flight
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


class Drain:
    """A bounded stretch of work on one queue's backlogs; made and run inside one event loop."""

    def __init__(self, queue: str, drain: str, setup: Setup, *, worker: str) -> None:
        self._queue, self._id, self._setup, self._clock = queue, drain, setup, setup.clock
        self._due = asyncio.Event()
        self._post = Post(setup, queue=queue, drain=drain, worker=worker)
        self._flight = Flight(self._due.set)
        self._stopping = False
        self._doubtful = False

    def stop(self) -> None:
        """Claim nothing more; what runs may finish within the grace time, the rest is given back."""
        self._stopping = True
        self._due.set()

    def hand_over(self) -> None:
        """Put a successor on duty now, which goes by another configuration; what runs may finish."""
        self._post.hand_over_soon()
        self._due.set()

    async def run(self) -> None:
        """Sign on, work, finish, sign off. Returns at once when this drain is not wanted (any more)."""
        config, concurrency = self._setup.config, self._setup.concurrency(self._queue)
        try:
            self._book = await self._post.publish()
            if not await self._post.sign_on():
                return
            async with Toolbox.open(config, concurrency, self._book.store_id, self._setup.url) as tools:
                self._prepare(tools)
                with Heart(self._setup, queue=self._queue, drain=self._id, orphaned=self.stop):
                    await self._work()
                    await self._finish()
        finally:
            await self._post.close()

    async def _work(self) -> None:
        """Turn by turn, until another drain is on duty or the process must stop."""
        while not self._stopping:
            self._due.clear()
            try:
                turn = await self._turn()
                self._flight.start(turn.work)
                worn = self._tools.worn or self._flight.worn
                if await self._post.is_over(turn, busy=bool(self._flight), worn=worn):
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
            self._flight.add(await self._post.unseen(self._flight.references()))
            self._doubtful = False
        room = 0 if self._post.quarantine else min(GROUP, IN_FLIGHT - self._flight.running)
        if room > 0:
            self._post.listen(self._due.set)  # before the call: a token may come meanwhile
        turn = await self._settle(claim=room)
        if self._post.quarantine and not self._flight:  # in groups, or a crash would not tell who it was
            turn = await self._post.suspects(self._book)
        if turn.stale:
            await self._begin_anew()
        if (turn.stale or turn.lost) and not await self._post.sign_on():
            self._stopping = True
        return turn

    async def _settle(self, *, claim: int) -> Turn:
        self._flight.leave_stubborn(self._clock.monotonic())
        results = self._flight.results(GROUP)
        if not (results or claim):
            return Turn()
        turn = await self._post.turn(self._book, results, claim=claim, excluded=self._lines.unknown)
        self._flight.settled(results, urgent=not claim, awaited=turn.full)
        return turn

    async def _wait(self, turn: Turn) -> None:
        """Until the queue is woken, results should be settled, or the next retry is due."""
        if turn.more or self._due.is_set():
            return  # what was claimed runs while the next call is on its way
        rest_ms = turn.rest_ms if turn.rest_ms >= 0 else math.inf
        with suppress(TimeoutError):
            async with asyncio.timeout(min(WAIT_S, max(0.0, rest_ms / 1000))):
                await self._due.wait()

    async def _finish(self) -> None:
        """Let what runs come to its end; once told to stop, for the grace time, and the rest is given back.
        What even then does not end, or cannot be settled, comes back when its lease ends."""
        with suppress(Unavailable):
            await self._post.step_down()
        await self._until_settled(lambda: self._stopping, self._setup.settings.grace)
        self._flight.cancel()
        await self._until_settled(lambda: True, LAST_S)
        await self._post.sign_off(stopping=True)

    async def _until_settled(self, hurried: Callable[[], bool], patience_s: float) -> None:
        """Until nothing is in hand; once `hurried`, for no longer than `patience_s` more."""
        give_up_at = math.inf
        while self._flight and self._clock.monotonic() < give_up_at:
            if hurried():
                give_up_at = min(give_up_at, self._clock.monotonic() + patience_s)
            try:
                await self._flight.landing(WAIT_S / 4)
                await self._settle(claim=0)
            except Unavailable as error:
                log.warning("drain %s cannot settle yet: %s", self._id, error)
                await asyncio.sleep(AGAIN_S)

    async def _begin_anew(self) -> None:
        """The store was emptied. Numbers begin again, so the ids made from them must differ."""
        self._book = await self._post.publish(serving="empty")
        self._prepare(replace(self._tools, store_id=self._book.store_id))

    def _prepare(self, tools: Toolbox) -> None:
        """Make the routes ready to run, under the numbers the store gives them."""
        self._tools = tools
        self._lines = Lines(self._setup.config, tools, self._clock, self._book)
        self._flight.use(self._lines)
