"""RQ queues of the user: where rq steps put jobs for workers that are not ours.

One client a Redis and drain, whose connections its threads share.
"""

import math
from typing import Any

import msgspec
import redis
from rq import Queue
from rq.exceptions import DuplicateJobError
from rq.serializers import JSONSerializer, PickleSerializer

from receiver.core.clients import connect
from receiver.core.steps.rq import RqSpec

_SERIALIZERS: dict[str, Any] = {"pickle": PickleSerializer, "json": JSONSerializer}


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is to run."""

    id: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    description: str
    meta: dict[str, Any]


class UserQueue:
    """One queue, and how its jobs are made."""

    def __init__(self, spec: RqSpec, client: "redis.Redis") -> None:
        self._spec = spec
        self._queue = Queue(spec.queue, connection=client, serializer=_SERIALIZERS[spec.serializer])

    def put(self, job: Job) -> bool:
        """Enqueue it, unless RQ still knows a job of this id; answers whether it is new.

        Blocks for some milliseconds. Raises RedisError.
        """
        spec = self._spec
        try:
            self._queue.enqueue_call(
                spec.function,
                args=job.args,
                kwargs=job.kwargs,
                job_id=job.id,
                timeout=_whole(spec.job_timeout_s),
                ttl=_whole(spec.ttl_s),
                result_ttl=_whole(spec.result_ttl_s),
                failure_ttl=_whole(spec.failure_ttl_s),
                description=job.description,
                meta=job.meta,
                unique=True,
            )
        except DuplicateJobError:
            return False
        return True


class UserQueues:
    """All of them, by the Redis they are in."""

    def __init__(self, own_url: str) -> None:
        self._own_url = own_url
        self._clients: dict[str, redis.Redis] = {}

    def queue(self, spec: RqSpec) -> UserQueue:
        """The queue of a step."""
        url = self._own_url if spec.url is None else spec.url.reveal()
        if url not in self._clients:
            self._clients[url] = connect(url)
        return UserQueue(spec, self._clients[url])

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


def _whole(seconds: float | None) -> int | None:
    """RQ counts whole seconds; 0 would mean another thing."""
    return None if seconds is None else math.ceil(seconds)
