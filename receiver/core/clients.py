"""Makes Redis clients: the only place that decides on time-outs and retries.

No client retries by itself: a script that was sent may have run, and whoever calls knows whether again is
harmless. A pooled connection that the server closed is noticed and opened anew before it is used.
"""

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

ANSWER_S = 3.0
"""Longest wait for an answer, in seconds: below the 5 s after which Segment gives up on a webhook."""

CONNECT_S = 1.0


def connect(url: str, *, answer_s: float = ANSWER_S) -> "redis.Redis":
    """A client for plain code; thread-safe."""
    return redis.Redis.from_url(
        url, socket_timeout=answer_s, socket_connect_timeout=CONNECT_S, retry=Retry(NoBackoff(), 0)
    )


def connect_async(url: str, *, connections: int = 16, answer_s: float = ANSWER_S) -> "redis.asyncio.Redis":
    """A client for one event loop with at most `connections` of them; a further call waits for a free one."""
    pool: redis.asyncio.BlockingConnectionPool = redis.asyncio.BlockingConnectionPool.from_url(
        url,
        max_connections=connections,
        timeout=answer_s,
        socket_timeout=answer_s,
        socket_connect_timeout=CONNECT_S,
        retry=AsyncRetry(NoBackoff(), 0),
    )
    return redis.asyncio.Redis.from_pool(pool)
