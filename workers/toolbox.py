"""What a drain keeps for its deliveries: connections to destinations, to Segment, threads and time limits."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from receiver.core.clients import connect_async
from receiver.core.routes import Config
from receiver.core.shared_rate import SharedRate
from workers.cache import Cache
from workers.http import Outbound
from workers.limits import Limits
from workers.profile import Answers, Profiles
from workers.sender import Sender
from workers.threads import Threads
from workers.user_queues import UserQueues

T = TypeVar("T")

STUCK_THREADS = 8
"""So many wear a process out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolbox:
    """One per drain, made inside its running loop."""

    http: Outbound
    threads: Threads
    limits: Limits
    loop: asyncio.AbstractEventLoop
    store_id: str
    """Makes ids differ between stores, whose messages are numbered alike."""
    senders: Mapping[str, Sender]
    """By the name of their connection."""
    profiles: Mapping[str, Profiles]
    """By the name of their connection, where it has a profile token."""
    queues: UserQueues
    """RQ queues of the user."""
    rate: SharedRate
    """What is limited for all workers together."""

    @classmethod
    @asynccontextmanager
    async def open(
        cls, config: Config, concurrency: int, store_id: str, url: str
    ) -> AsyncIterator["Toolbox"]:
        """`concurrency` is how many deliveries the drain works at a time; `url` is that of the store's Redis.

        Leave the block when no delivery runs any more: what still waits to be sent is answered Retry.
        """
        threads = Threads(concurrency)
        rate = SharedRate(connect_async(url))
        queues = UserQueues(url)
        answers: Answers = Cache()
        try:
            async with Outbound.open(concurrency=concurrency) as http:
                senders = {name: Sender(one, http, rate) for name, one in config.connections.items()}
                profiles = {
                    name: Profiles(one, http, rate, answers)
                    for name, one in config.connections.items()
                    if one.profile_token is not None
                }
                try:
                    yield cls(
                        http=http,
                        threads=threads,
                        limits=Limits(),
                        loop=asyncio.get_running_loop(),
                        store_id=store_id,
                        senders=senders,
                        profiles=profiles,
                        queues=queues,
                        rate=rate,
                    )
                finally:
                    await asyncio.gather(answers.close(), *(sender.close() for sender in senders.values()))
        finally:
            threads.close()
            queues.close()
            await rate.close()

    def segment(self, connection: str) -> Sender:
        """Raises LookupError for a connection that routes.yaml does not have."""
        return _named(self.senders, "", connection)

    def profile(self, connection: str) -> Profiles:
        """Raises LookupError for a connection that routes.yaml does not have, or gives no profile token."""
        return _named(self.profiles, " with a profile_token_env", connection)

    @property
    def worn(self) -> bool:
        """Sync handlers ran past their time and never came back: the process is worth replacing."""
        return self.threads.stuck >= STUCK_THREADS


def _named(found: Mapping[str, T], kind: str, connection: str) -> T:
    try:
        return found[connection]
    except KeyError:
        known = ", ".join(found) or "none"
        sentence = f"no connection {connection!r}{kind} in routes.yaml (there: {known})"
        raise LookupError(sentence) from None
