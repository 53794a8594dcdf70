"""Opens the store for the HTTP side: committer, readiness checks, memory watch, gauges of /metrics."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import redis.asyncio
from redis import exceptions

from receiver.app import App, Store, create_app
from receiver.committer import Committer
from receiver.core import keys, refusals, scripts
from receiver.core.clients import connect_async
from receiver.core.data_dir import resolve_redis_url
from receiver.core.durability import Verdict, judge
from receiver.core.errors import NotDurable, Overloaded, StoreFull, Unavailable
from receiver.core.following import Following
from receiver.core.metrics import Metrics
from receiver.core.queue import Jobs
from receiver.core.routes import Config
from receiver.core.routes_file import Loaded
from receiver.core.settings import Settings
from receiver.health import Check
from receiver.presence import Presence
from receiver.process_metrics import ProcessMetrics
from receiver.refusals import Refusals
from receiver.reloading import Reloading
from receiver.route_metrics import RouteMetrics

logger = logging.getLogger("hookyard.store")

WATCH_S = 1.0
"""How often Redis' memory and persistence are looked at."""


class Watch:
    """Looks at Redis once a second; refuses messages while its memory is nearly full, so that what is stored
    can be worked off and RQ's own writes still fit, and while too many messages are open. Writes down what
    was refused."""

    def __init__(
        self,
        client: "redis.asyncio.Redis",
        committer: Committer,
        noted: Refusals,
        settings: Settings,
        presence: Presence | None = None,
    ) -> None:
        self._redis = client
        self._presence = presence
        self._committer = committer
        self._noted = noted
        self._settings = settings
        self._open = 0
        self._verdict: Verdict | None = None
        self._problem = "Redis was not reached yet"
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """Watch until `stop`."""
        while not self._stopped.is_set():
            await self.look()
            with suppress(TimeoutError):
                async with asyncio.timeout(WATCH_S):
                    await self._stopped.wait()

    def stop(self) -> None:
        """Not by cancelling `run`: redis' client may swallow a cancellation in the middle of a call."""
        self._stopped.set()

    async def look(self) -> None:
        """Look once."""
        try:
            self._verdict = await judge(self._redis)
            self._open = await self._redis.hlen(keys.key("OWED"))
            await self._committer.publish()
            if self._presence is not None:
                await self._presence.beat()
            self._problem = ""
        except (exceptions.RedisError, OSError, TimeoutError) as error:
            self._problem = scripts.translate(error).message
        except Unavailable as error:
            self._problem = error.message
        refusal = self._refusal()
        if refusal is not None and self._committer.refusal is None:
            logger.warning("refusing messages", extra={"code": refusal.code, "reason": refusal.message})
        self._committer.refusal = refusal
        await self.write_down()

    async def write_down(self, *, all_of_it: bool = False) -> None:
        """Write down what was refused. While Redis is away that waits; a full one forgets it."""
        if self._problem:
            return
        found = self._noted.take(all_of_them=all_of_it)
        if found:
            with suppress(Unavailable):
                await scripts.run(self._redis, refusals.record(found))

    def _refusal(self) -> Unavailable | None:
        if self._verdict is not None and not self._verdict.enough_for(self._settings.durability):
            return NotDurable("Redis is not set up to keep what it acknowledges: see /readyz.", retry_after=5)
        if self._verdict is not None and self._verdict.full:
            return StoreFull("Redis is above 90 % of its memory; drains go on and make room", retry_after=5)
        if self._open >= self._settings.max_open:
            return Overloaded(
                f"{self._open} messages have open deliveries or dead letters, the bound is "
                f"{self._settings.max_open} (HOOKYARD_MAX_OPEN).",
                retry_after=5,
            )
        return None

    async def reachable(self) -> str | None:
        if self._verdict is not None and self._verdict.replica:
            return "Redis is a read-only replica (after a fail-over?): it takes no messages."
        return self._problem or None

    async def durable(self) -> str | None:
        verdict = self._verdict
        if verdict is None or verdict.enough_for(self._settings.durability):
            return None
        return "a 200 would not mean: on disk. " + " ".join(verdict.sentences())

    async def not_full(self) -> str | None:
        refusal = self._committer.refusal
        return None if refusal is None or isinstance(refusal, NotDurable) else refusal.message


def open_store(settings: Settings, config: Config, url: str, following: Following | None = None) -> Store:
    """Everything the HTTP side needs of Redis; connects when it is entered, and again whenever it must. What
    `following` says of routes.yaml stands there for people to see."""
    client = connect_async(url)
    jobs = Jobs(settings.rq_url.reveal() if settings.rq_url is not None else url)
    committer = Committer(client, jobs, config, window_ms=round(settings.dedup_window * 1000))
    noted = Refusals()
    presence = None if following is None else Presence(client, following)
    watch = Watch(client, committer, noted, settings, presence)

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        await watch.look()
        task = asyncio.create_task(watch.run())
        try:
            yield
        finally:
            watch.stop()
            await asyncio.wait([task], timeout=WATCH_S)  # longer only while Redis does not answer
            task.cancel()
            await watch.write_down(all_of_it=True)
            if presence is not None:
                await presence.leave()
            await committer.close()
            await client.aclose()
            jobs.close()

    return Store(
        committer=committer,
        refusals=noted,
        checks=(
            Check("store reachable", watch.reachable),
            Check("durable", watch.durable),
            Check("not full", watch.not_full),
        ),
        refreshes=(RouteMetrics(client).refresh, ProcessMetrics(client).refresh),
        running=running,
        use=committer.use,
    )


def build(settings: Settings, environ: Mapping[str, str], found: Loaded, *, looks: bool = True) -> App:
    """The application as settings and routes.yaml describe it: what uvicorn runs. It begins with what was
    `found` and follows the file; without `looks` on SIGHUP only. Raises ConfigError."""
    following = Following(settings.routes, environ, found)
    metrics = Metrics()
    metrics.follow("hookyard_config_refused", lambda: float(bool(following.refused)))
    store = open_store(settings, found.config, resolve_redis_url(settings), following)

    async def valid() -> str | None:
        if not following.refused:
            return None
        version = following.in_force.config.version
        return f"not in force as it stands, version {version} stays: {following.refused}"

    checks = (*store.checks, Check("routes.yaml", valid, vital=False))
    return create_app(
        settings,
        found.config,
        replace(store, checks=checks),
        metrics=metrics,
        reloading=Reloading(following, looks=looks),
    )
