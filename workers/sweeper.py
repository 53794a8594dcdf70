"""Every second: repairs what is lost in between, keeps drains on duty, revives replays, works orders to purge
users, applies retention.

Everything here may run in several supervisors at once: each step is one atomic script.
"""

import logging
import os
import socket
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import cast

import redis

from receiver.core import clients, duty, keys, processes, replays, scripts, store, upkeep
from receiver.core.durability import judge_now
from receiver.core.errors import Unavailable
from receiver.core.queue import QUARANTINE
from receiver.core.store import Book, Reserved, Serving
from workers.purge import Purger
from workers.setup import Setup

log = logging.getLogger("hookyard.sweeper")

AFTER_OUTAGE_S = 8.0
"""After Redis was away every heartbeat is late: no drain is given up for dead within this time."""
PRESSURE = 0.75
"""Of maxmemory: above it, and without RETENTION_BYTES, the oldest settled messages go early."""
TRIMS = 80
"""Most trim calls in one sweep: more than 8,000 messages a second have to go where as many come."""
SATURATED = 2
"""Sweeps in a row that must find work nobody takes before one more drain is put on duty."""


class Sweeper:
    """One supervisor's share of looking after the store."""

    def __init__(
        self, setup: Setup, queues: tuple[str, ...], *, refused: Callable[[], str] = lambda: ""
    ) -> None:
        """`refused`: why another routes.yaml is not in force, for people who look."""
        self._setup = setup
        self._queues = queues
        self._refused = refused
        self._name = f"workers-{socket.gethostname()}-{uuid.uuid4().hex[:8]}"
        self._serving: Serving = "again"
        self._order = 0
        self._next_beat, self._said = 0.0, ""
        self._redis: redis.Redis = clients.connect(setup.url)
        self._purger = Purger(self._redis, setup.jobs, setup.clock)
        self._book: Book | None = None
        self._reaping_from = 0.0
        self._waited = dict.fromkeys(queues, 0)
        self.drains: dict[str, tuple[str, str, int]] = {}
        """Drain → its worker's name, its state, its process id; as of the last sweep."""

    def use(self, setup: Setup, queues: tuple[str, ...]) -> None:
        """Go by another configuration, the newest of all, from now on; at once if Redis is there."""
        self._setup, self._queues = setup, queues
        self._waited = dict.fromkeys(queues, 0)
        self._serving, self._book, self._next_beat = "anew", None, 0.0
        with suppress(Unavailable):
            self._publish()

    @property
    def published(self) -> bool:
        """Whether the store knows what we go by."""
        return self._book is not None and self._serving == "again"

    def close(self) -> None:
        """Say that this supervisor ends."""
        with suppress(Unavailable):
            scripts.run_now(self._redis, processes.leave(self._name))

    def sweep(self, idle: Mapping[str, int]) -> None:
        """One round, which raises nothing when Redis is away. `idle`: own workers that wait for a job."""
        now = self._setup.clock.monotonic()
        try:
            self._repair(now)
            self._widen(idle)
            self._revive_replays()
            self._purger.work()
            self._trim()
            self._look_at_drains()
        except (Unavailable, redis.RedisError, OSError) as error:
            if self._reaping_from <= now:
                log.warning("no sweep: %s", error)
            self._book = None
            self._reaping_from = now + AFTER_OUTAGE_S

    def reap(self, drain: str) -> None:
        """Free a drain whose process is known to be dead."""
        try:
            answer = scripts.run_now(self._redis, duty.reap(drain, now_ms=self._setup.clock.now_ms()))
            self._enqueue(answer.reserved)
            log.warning("freed %s, whose process died", drain)
        except Unavailable as error:
            log.warning("could not free %s yet: %s", drain, error)

    def _repair(self, now: float) -> None:
        stored = cast("bytes | None", self._redis.hget(keys.key("META"), "id"))
        book = self._book
        if book is not None and stored != book.store_id.encode():
            log.warning("Redis holds another store, or none: what was kept before is not there any more")
        if book is None or stored != book.store_id.encode():
            book = self._publish()
        self._beat(now)
        numbers = [book.numbers[name] for name in self._setup.config.routes]
        now_ms = self._setup.clock.now_ms()
        made = duty.sweep(self._queues, numbers, now_ms=now_ms, reaping=now >= self._reaping_from)
        answer = scripts.run_now(self._redis, made)
        for drain, leases in answer.reaped:
            log.warning("drain %s fell silent with %d deliveries in flight", drain, leases)
        self._enqueue(answer.reserved)

    def _publish(self) -> Book:
        made = store.publish(
            self._setup.config,
            now_ms=self._setup.clock.now_ms(),
            serving=self._serving,
            process=self._name,
            order=self._order,
        )
        self._book = scripts.run_now(self._redis, made)
        self._serving, self._order = "again", self._book.order
        return self._book

    def _beat(self, now: float) -> None:
        """Say that we live. A configuration older than ours may be in force, when who served a newer one is
        gone."""
        refused = self._refused()
        if now < self._next_beat and refused == self._said:
            return
        self._next_beat, self._said = now + processes.BEAT_S, refused
        own = processes.Process(
            name=self._name,
            kind="workers",
            host=socket.gethostname(),
            pid=os.getpid(),
            version=self._setup.config.version,
            order=self._order,
            refused=refused,
        )
        standing = scripts.run_now(self._redis, processes.beat(own, now_ms=self._setup.clock.now_ms()))
        if standing.in_force != self._order == standing.newest:
            self._publish()

    def _enqueue(self, reserved: tuple[Reserved, ...]) -> None:
        """A job that RQ still holds takes the duty as well: no second one beside it."""
        self._setup.jobs.enqueue(item for item in reserved if self._setup.jobs.waiting(item.queue) == 0)

    def _widen(self, idle: Mapping[str, int]) -> None:
        """Put idle workers on duty where ready work waits longer than the drains there take to get to it."""
        for state in scripts.run_now(
            self._redis, upkeep.queues(self._queues, now_ms=self._setup.clock.now_ms())
        ):
            self._waited[state.queue] = self._waited[state.queue] + 1 if state.claimable else 0
            if self._waited[state.queue] >= SATURATED and idle.get(state.queue, 0) > 0:
                answer = scripts.run_now(
                    self._redis, duty.reserve(state.queue, now_ms=self._setup.clock.now_ms())
                )
                if answer.drain is not None:
                    self._enqueue((Reserved(state.queue, answer.drain),))
                self._waited[state.queue] = 0

    def _revive_replays(self) -> None:
        for replay in replays.orphans(self._redis, now_ms=self._setup.clock.now_ms()):
            if self._setup.jobs.waiting("replay") == 0:
                self._setup.jobs.enqueue_replay(replay, f"replay-{replay}-{self._setup.clock.now_ms()}")

    def _trim(self) -> None:
        settings = self._setup.settings
        before_ms = self._setup.clock.now_ms() - round(settings.retention_age * 1000)
        early = 0
        for _ in range(TRIMS):
            pressure = settings.retention_bytes is None and judge_now(self._redis).memory_share > PRESSURE
            trimmed = scripts.run_now(
                self._redis,
                upkeep.trim(before_ms=before_ms, max_bytes=settings.retention_bytes or 0, pressure=pressure),
            )
            early += trimmed.deleted if pressure else 0
            if not trimmed.more:
                break
        if early:
            log.warning(
                "Redis is above %d %% of its memory: %d old messages went early", PRESSURE * 100, early
            )

    def _look_at_drains(self) -> None:
        found = cast("list[bytes]", self._redis.zrange(keys.key("DRAINS"), 0, 199))
        names = [name.decode() for name in found]
        pipe = self._redis.pipeline(transaction=False)
        for name in names:
            pipe.hmget(keys.key("DRAIN", name), ["worker", "state", "pid"])
        self.drains = {
            name: ((worker or b"").decode(), (state or b"").decode(), int(pid or 0))
            for name, (worker, state, pid) in zip(names, pipe.execute(), strict=True)
        }


def on_demand(setup: Setup) -> tuple[str, ...]:
    """Queues of our own that wait for a worker: they get one while they have jobs, and none otherwise."""
    try:
        return tuple(queue for queue in (QUARANTINE, "replay") if setup.jobs.waiting(queue) > 0)
    except (redis.RedisError, OSError):
        return ()
