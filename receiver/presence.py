"""Says in the store, every few seconds, that this receiver lives and which routes.yaml it goes by."""

import os
import socket
import uuid
from contextlib import suppress

import redis.asyncio

from receiver.core import processes, scripts
from receiver.core.clock import SYSTEM, Clock
from receiver.core.errors import Unavailable
from receiver.core.following import Following
from receiver.core.processes import BEAT_S, Process


class Presence:
    """One receiver process."""

    def __init__(self, client: "redis.asyncio.Redis", following: Following, clock: Clock = SYSTEM) -> None:
        self._redis = client
        self._following = following
        self._clock = clock
        self._name = f"receiver-{socket.gethostname()}-{uuid.uuid4().hex[:8]}"
        self._told: tuple[str, str] | None = None
        self._next_beat = 0.0

    async def beat(self) -> None:
        """When it is time, or something changed. Raises Unavailable."""
        now = self._clock.monotonic()
        telling = (self._following.in_force.config.version, self._following.refused)
        if now < self._next_beat and telling == self._told:
            return
        version, refused = telling
        own = Process(
            name=self._name,
            kind="receiver",
            host=socket.gethostname(),
            pid=os.getpid(),
            version=version,
            refused=refused,
        )
        await scripts.run(self._redis, processes.beat(own, now_ms=self._clock.now_ms()))
        self._told, self._next_beat = telling, now + BEAT_S

    async def leave(self) -> None:
        """Say that it ends; what cannot be said now shows by its silence."""
        with suppress(Unavailable):
            await scripts.run(self._redis, processes.leave(self._name))
