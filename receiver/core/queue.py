"""The only module on the producing side that knows RQ: drains and replays become RQ jobs here.

RQ carries drains, not messages (docs/decisions/drains.md). Jobs name their function by dotted path, so that
nothing of the workers is imported here; JSON keeps pickles out of Redis.
"""

from collections.abc import Iterable
from typing import Any, cast

from rq import Queue
from rq.serializers import JSONSerializer

from receiver.core.clients import connect
from receiver.core.store import Reserved

PREFIX = "hookyard-"
"""Before every queue name in RQ, so that a user's own RQ queues can share the Redis."""

QUARANTINE = "quarantine"
REPLAY = "replay"
RESERVED_NAMES = (QUARANTINE, REPLAY)
"""Queues of our own; routes.yaml may not use them."""

JOB_TTL_S = 60
"""A drain job nobody took within this time is dropped: by then another one is on duty or reserved."""
FAILURE_TTL_S = 3600
OUTER_NET_S = 86_400
"""RQ's own time-out is only the outermost net; a drain keeps its own deadline."""


class Jobs:
    """Enqueues drains. Blocking calls of about a millisecond: an event loop calls them in a thread."""

    def __init__(self, rq_url: str) -> None:
        self._redis = connect(rq_url)
        self._queues: dict[str, Queue] = {}

    def _queue(self, queue: str) -> Queue:
        if queue not in self._queues:
            self._queues[queue] = Queue(PREFIX + queue, connection=self._redis, serializer=JSONSerializer)
        return self._queues[queue]

    def enqueue(self, reserved: Iterable[Reserved]) -> None:
        """One RQ job for every reserved drain, under the drain's id. Raises redis' own errors."""
        for item in reserved:
            self._enqueue(item.queue, item.drain, "workers.jobs.drain", (item.queue, item.drain))

    def enqueue_replay(self, replay: int, owner: str) -> None:
        """One RQ job that walks a replay; `owner` is its id, new each time."""
        self._enqueue(REPLAY, owner, "workers.jobs.replay", (replay, owner))

    def _enqueue(self, queue: str, job_id: str, function: str, arguments: tuple[Any, ...]) -> None:
        self._queue(queue).enqueue_call(
            function,
            args=arguments,
            job_id=job_id,
            timeout=OUTER_NET_S,
            ttl=JOB_TTL_S,
            result_ttl=0,
            failure_ttl=FAILURE_TTL_S,
            description=f"{function.rsplit('.', 1)[1]} {arguments[0]}",
        )

    def waiting(self, queue: str) -> int:
        """Drain jobs of a queue that no worker has taken yet."""
        return self._queue(queue).count

    def workers(self) -> dict[str, int]:
        """Live RQ workers by queue (without our prefix)."""
        counts: dict[str, int] = {}
        for name in cast("set[bytes]", self._redis.smembers("rq:workers")):
            queues = cast("bytes | None", self._redis.hget(name, "queues"))
            for queue in (queues or b"").decode().split(","):
                if queue.startswith(PREFIX):
                    counts[queue.removeprefix(PREFIX)] = counts.get(queue.removeprefix(PREFIX), 0) + 1
        return counts

    def close(self) -> None:
        self._redis.close()
