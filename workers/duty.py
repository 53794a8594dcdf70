"""A drain's duty, seen from the drain: signing on and off, handing over, and sleeping until there is work.

The protocol is in docs/architecture.md; its other half is `receiver/core/lua/duty.lua`.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Callable

import redis.asyncio
from redis import exceptions

from receiver.core import keys, scripts, store
from receiver.core.clock import Clock
from receiver.core.queue import Jobs
from receiver.core.store import Reserved

log = logging.getLogger("hookyard.duty")

WAIT_S = 1.0
"""Longest sleep; a token that got lost costs no more than this."""


class Post:
    """One drain's place on duty for its queue."""

    def __init__(
        self, client: "redis.asyncio.Redis", jobs: Jobs, clock: Clock, *, queue: str, drain: str, worker: str
    ) -> None:
        self._redis = client
        self._jobs = jobs
        self._clock = clock
        self._queue = queue
        self._drain = drain
        self._worker = worker
        self._token: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def sign_on(self) -> bool:
        """Take up duty; False when another drain has it and this one is not wanted."""
        made = store.sign_on(
            self._queue,
            self._drain,
            now_ms=self._clock.now_ms(),
            worker=self._worker,
            host=socket.gethostname(),
            pid=os.getpid(),
        )
        return (await scripts.run(self._redis, made)).ok

    async def hand_over(self) -> None:
        """Put a successor on duty. This drain may claim until that one has signed on."""
        duty = await scripts.run(
            self._redis, store.hand_over(self._queue, self._drain, now_ms=self._clock.now_ms())
        )
        if duty.drain is not None:
            self.enqueue((Reserved(self._queue, duty.drain),))

    async def sign_off(self, *, stopping: bool) -> bool:
        """Leave duty; False means stay: there is work, or nobody else."""
        duty = await scripts.run(
            self._redis,
            store.sign_off(self._queue, self._drain, now_ms=self._clock.now_ms(), stopping=stopping),
        )
        if duty.drain is not None:
            self.enqueue((Reserved(self._queue, duty.drain),))
        return duty.ok

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

    async def close(self) -> None:
        """Wait for jobs that are being enqueued; stop listening."""
        if self._token is not None:
            self._token.cancel()
            await asyncio.wait([self._token])
        if self._tasks:
            await asyncio.wait(self._tasks)
