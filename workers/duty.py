"""A drain's post: signing on and off, handing over, its turns, and sleeping until there is work.

The protocol is in docs/architecture.md; its other half is `receiver/core/lua/duty.lua`.
"""

import asyncio
import logging
import math
import os
import socket
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

from redis import exceptions

from receiver.core import duty, keys, scripts, store
from receiver.core.clients import connect_async
from receiver.core.queue import QUARANTINE
from receiver.core.store import Book, BreakerChange, Reserved, Result, Serving, Turn
from receiver.core.wire import Wire
from workers.setup import Setup

log = logging.getLogger("hookyard.duty")

IDLE_S = 10.0
"""A second drain that had nothing to do for so long leaves the queue to the first."""
WAIT_S = 1.0
"""Longest sleep; a token that got lost costs no more than this."""


class Post:
    """One drain's place on duty for its queue, and all it asks of the store. Everything that asks raises
    Unavailable."""

    def __init__(self, setup: Setup, *, queue: str, drain: str, worker: str) -> None:
        self._setup = setup
        self._redis = connect_async(setup.url)
        self._wire = Wire(setup.url)
        self._jobs = setup.jobs
        self._clock = setup.clock
        self._queue = queue
        self._drain = drain
        self._worker = worker
        self.quarantine = queue == QUARANTINE
        self._token: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._hand_over_at = self._clock.monotonic() + setup.settings.drain_length
        self._busy_at = self._clock.monotonic()
        self.leaving = False
        """A successor is reserved; until it has signed on, this drain claims on."""

    async def publish(self, *, serving: Serving = "") -> Book:
        """Learn what the store calls the routes."""
        made = store.publish(self._setup.config, now_ms=self._clock.now_ms(), serving=serving)
        return await scripts.run(self._redis, made)

    async def sign_on(self) -> bool:
        """Take up duty; False when another drain has it and this one is not wanted."""
        made = duty.sign_on(
            self._queue,
            self._drain,
            now_ms=self._clock.now_ms(),
            worker=self._worker,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=self._setup.config.version,
        )
        return (await scripts.run(self._redis, made)).ok

    async def turn(
        self, book: Book, results: Sequence[Result], *, claim: int, excluded: Iterable[int]
    ) -> Turn:
        """Settle `results`, claim up to `claim` references of routes that are not `excluded`."""
        made = store.turn(
            book,
            self._queue,
            self._drain,
            results,
            now_ms=self._clock.now_ms(),
            most=claim,
            excluded=excluded,
            leaving=self.leaving,
            quarantine=self.quarantine,
        )
        turn = await scripts.run(self._wire, made)
        if turn.refused:
            log.warning("%d results came after their lease had ended", len(turn.refused))
        self.enqueue(turn.reserved)
        for change in turn.breakers:
            log.log(*_said(change, book.names.get(change.route, f"#{change.route}")))
        return turn

    async def suspects(self, book: Book) -> Turn:
        """Claim half a group of those whose drain crashed."""
        return await scripts.run(
            self._redis, store.claim_suspects(book, self._drain, now_ms=self._clock.now_ms())
        )

    async def unseen(self, seen: Iterable[str]) -> list[Result]:
        """What gives back all that the store leased to this drain in answers that never came: Redis may have
        run a call of which we only saw the error."""
        leased = await self.leases()
        for ref in seen:
            leased.pop(ref, None)
        return [store.given_back(ref, attempt) for ref, attempt in leased.items()]

    async def is_over(self, turn: Turn, *, busy: bool, worn: bool) -> bool:
        """Whether this drain's time on duty is up. Hands over when its length is reached, or when it is
        `worn` out; leaves when it was not `busy` for a while and others are on duty."""
        now = self._clock.monotonic()
        if busy:
            self._busy_at = now
        if self.leaving:
            return turn.relieved
        if now > self._hand_over_at or worn:
            return not await self.hand_over()
        if not busy and (self.quarantine or now - self._busy_at > IDLE_S):
            self._busy_at = now
            return await self.sign_off(stopping=False)
        return False

    def hand_over_soon(self) -> None:
        """The time on duty is up, whatever is left of it; in quarantine it is short anyway."""
        if not self.quarantine:
            self._hand_over_at = -math.inf

    async def hand_over(self) -> bool:
        """Reserve a successor; False where there is to be none, because the queue is not served any more."""
        made = duty.hand_over(self._queue, self._drain, now_ms=self._clock.now_ms())
        answer = await scripts.run(self._redis, made)
        self.leaving = True
        if answer.drain is None:
            return False
        self.enqueue((Reserved(self._queue, answer.drain),))
        return True

    async def step_down(self) -> None:
        """Say that this drain claims no more, so that nobody counts on it while it finishes what it has."""
        await self._hush()
        made = duty.step_down(self._queue, self._drain, now_ms=self._clock.now_ms())
        self.enqueue((await scripts.run(self._redis, made)).reserved)

    async def sign_off(self, *, stopping: bool) -> bool:
        """Leave duty; False means stay: there is work, or nobody else."""
        answer = await scripts.run(
            self._redis,
            duty.sign_off(self._queue, self._drain, now_ms=self._clock.now_ms(), stopping=stopping),
        )
        if answer.drain is not None:
            self.enqueue((Reserved(self._queue, answer.drain),))
        return answer.ok

    async def leases(self) -> dict[str, int]:
        """What the store believes this drain has in flight: reference → attempt."""
        try:
            found: dict[bytes, bytes] = await cast(Any, self._redis.hgetall(keys.key("LEASE", self._drain)))
        except (exceptions.RedisError, OSError) as error:
            raise scripts.translate(error) from error
        return {ref.decode(): int(attempt) for ref, attempt in found.items()}

    def enqueue(self, reserved: tuple[Reserved, ...]) -> None:
        """Make RQ jobs of reserved drains, off the loop. What fails here the sweeper repairs."""
        if reserved:
            task = asyncio.get_running_loop().create_task(self._enqueue(reserved))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _enqueue(self, reserved: tuple[Reserved, ...]) -> None:
        try:
            await asyncio.to_thread(self._jobs.enqueue, reserved)
        except (exceptions.RedisError, OSError) as error:
            log.warning("could not enqueue a drain, the sweeper will: %s", error)

    def listen(self, woken: Callable[[], None]) -> None:
        """Call `woken` once when the queue's wake token comes, or after WAIT_S. One listener at a time."""
        if self._token is None:
            self._token = asyncio.get_running_loop().create_task(self._listen(woken))

    async def _listen(self, woken: Callable[[], None]) -> None:
        try:
            await self._redis.blpop([keys.key("WAKE", self._queue)], timeout=WAIT_S)
        except (exceptions.RedisError, OSError) as error:
            log.debug("not woken: %s", error)
            await asyncio.sleep(WAIT_S)
        finally:
            self._token = None
        woken()

    async def _hush(self) -> None:
        if self._token is not None:
            self._token.cancel()
            await asyncio.wait([self._token])

    async def close(self) -> None:
        """Stop listening, wait for jobs that are being enqueued, close the connections."""
        await self._hush()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._wire.aclose()
        await self._redis.aclose()


def _said(change: BreakerChange, route: str) -> tuple[int, str, str, str]:
    """Level, text and its arguments of the line that tells of a breaker."""
    told = {
        "open": f"{change.reason}; it holds its deliveries, and probes in {change.probe_ms / 1000:g} s",
        "probing": "one delivery probes",
        "releasing": f"it works again, {change.limit} deliveries at a time",
        "closed": "it works again as before",
    }[change.state]
    level = logging.WARNING if change.state in ("open", "closed") else logging.INFO
    return level, "circuit breaker of route %s: %s", route, told
