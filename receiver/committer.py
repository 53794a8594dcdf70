"""Group commit: everything that waits goes into one accept call; nobody is answered before it returned.

One committer per process. While calls are in flight, new requests pile up and share the next call, so that
under load one fsync of Redis carries up to a hundred messages.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable
from itertools import islice

import msgspec
import redis.asyncio
from redis import exceptions

from receiver.core import scripts, store
from receiver.core.clock import SYSTEM, Clock
from receiver.core.direct import Direct
from receiver.core.errors import Overloaded, StoreUnavailable, Unavailable
from receiver.core.message import Accepted, NewMessage
from receiver.core.queue import Jobs
from receiver.core.routes import Config

log = logging.getLogger("hookyard.commit")

GROUP = 100
"""Most messages in one call: about 2 ms inside the server."""
IN_FLIGHT = 8
WORTH_A_CALL = 32
"""While a call is in flight, fewer messages than this wait for its answer: larger groups cost less each."""
WAITING = 20_000
"""Most messages that may wait for a commit; beyond it senders are told to come back."""


class _Part(msgspec.Struct, frozen=True):
    """At most GROUP messages of one request: they go into the same call."""

    messages: list[NewMessage]
    done: "asyncio.Future[list[Accepted]]"

    def answer(self, accepted: list[Accepted]) -> None:
        if not self.done.done():
            self.done.set_result(accepted)

    def fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class Committer:
    """Stores messages; `commit` returns when they are on disk, as far as Redis is set up to promise that."""

    def __init__(
        self,
        client: "redis.asyncio.Redis",
        jobs: Jobs,
        config: Config,
        *,
        window_ms: int,
        clock: Clock = SYSTEM,
    ) -> None:
        self._redis = client
        self._direct = Direct(client)
        self._jobs = jobs
        self._config = config
        self._window_ms = window_ms
        self._clock = clock
        self._book: store.Book | None = None
        self._publishing = asyncio.Lock()
        self._waiting: deque[_Part] = deque()
        self._messages = 0
        """So many wait, in all parts together."""
        self._calls = 0
        self._scheduled = False
        self._tasks: set[asyncio.Task[None]] = set()
        self.refusal: Unavailable | None = None
        """Set while the store must take nothing more (memory at its limit): every commit raises it."""

    def commit(self, messages: list[NewMessage]) -> Awaitable[list[Accepted]]:
        """Store the messages of one request, in order. Raises Unavailable, at once or when awaited; then
        senders send again, and what was stored all the same counts as a repeat."""
        if self.refusal is not None:
            raise self.refusal
        if self._messages + len(messages) > WAITING:
            raise Overloaded("more messages wait for Redis than this process may hold")
        return self._add(messages) if 0 < len(messages) <= GROUP else self._add_all(messages)

    async def _add_all(self, messages: list[NewMessage]) -> list[Accepted]:
        accepted: list[Accepted] = []
        for at in range(0, len(messages), GROUP):  # one after the other: calls may overtake each other
            accepted += await self._add(messages[at : at + GROUP])
        return accepted

    def _add(self, messages: list[NewMessage]) -> "asyncio.Future[list[Accepted]]":
        part = _Part(messages, asyncio.get_running_loop().create_future())
        self._waiting.append(part)
        self._messages += len(messages)
        self._schedule()
        return part.done

    def _schedule(self) -> None:
        """Start a call at the end of this turn of the loop: all requests read in it share the call."""
        if not self._scheduled and self._may_start():
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._start)

    def _may_start(self) -> bool:
        if self._calls == 0:
            return self._messages > 0
        return self._messages >= WORTH_A_CALL and self._calls < IN_FLIGHT

    def _start(self) -> None:
        self._scheduled = False
        while self._may_start():
            self._calls += 1
            self._keep(asyncio.get_running_loop().create_task(self._send(self._next_group())))

    def _next_group(self) -> list[_Part]:
        """What has waited longest, as much of it as one call takes."""
        group: list[_Part] = []
        room = GROUP
        while self._waiting and len(self._waiting[0].messages) <= room:
            group.append(self._waiting.popleft())
            room -= len(group[-1].messages)
        self._messages -= GROUP - room
        return group

    async def _send(self, group: list[_Part]) -> None:
        try:
            acceptance = await self._accept([message for part in group for message in part.messages])
        except Unavailable as error:
            # Whoever waits behind would wait as long again for the same Redis: longer than a sender does.
            for part in (*group, *self._waiting):
                part.fail(error)
            self._waiting.clear()
            self._messages = 0
        except Exception as error:
            log.exception("commit failed")
            for part in group:
                part.fail(error)
        else:
            answers = iter(acceptance.messages)
            for part in group:
                part.answer(list(islice(answers, len(part.messages))))
            if acceptance.reserved:
                self._keep(asyncio.create_task(self._enqueue(acceptance.reserved)))
        finally:
            self._calls -= 1
            self._schedule()

    async def _accept(self, messages: list[NewMessage]) -> store.Acceptance:
        for _ in range(3):
            book = self._book or await self.publish()
            made = store.accept(messages, book, now_ms=self._clock.now_ms(), window_ms=self._window_ms)
            acceptance = await self._direct.run(made)
            if not acceptance.stale:
                return acceptance
            log.warning("Redis holds another store, or none: what was kept before is not there any more")
            self._book = None
        raise StoreUnavailable("Redis was emptied more than once within a moment")

    def use(self, config: Config) -> None:
        """Messages from now on may go to the routes of this config. Those of the last one stay known."""
        self._config = config
        self._book = None

    async def publish(self) -> store.Book:
        """Make the routes known to the store: at start, with another config, and again when it turns out to
        be another store."""
        async with self._publishing:
            while self._book is None:
                config = self._config
                made = store.publish(config, now_ms=self._clock.now_ms())
                book = await scripts.run(self._redis, made)
                if config is self._config:  # or what was made known is not what messages name by now
                    self._book = book
            return self._book

    async def _enqueue(self, reserved: tuple[store.Reserved, ...]) -> None:
        """Off the loop: RQ is synchronous. What fails here the workers' sweeper repairs within a second."""
        try:
            await asyncio.to_thread(self._jobs.enqueue, reserved)
        except (exceptions.RedisError, OSError) as error:
            log.warning("could not enqueue a drain, the sweeper will: %s", error)

    def _keep(self, task: "asyncio.Task[None]") -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Wait for what is in flight."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._direct.close()
