"""One connection to Redis for script calls of one caller, one after the other.

A pooled client of redis-py sends in a task of its own and passes through a dozen layers: each call then takes
some turns of a busy event loop more, and half as much time again.
"""

import asyncio
from typing import Any

import redis.asyncio
from redis import exceptions
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from receiver.core.clients import ANSWER_S, CONNECT_S


class Wire:
    """Opened by its first call, and anew after an error. Raises what redis' clients do; retries nothing."""

    def __init__(self, url: str, *, answer_s: float = ANSWER_S) -> None:
        self._answer_s = answer_s
        pool: Any = redis.asyncio.ConnectionPool.from_url(
            url, socket_connect_timeout=CONNECT_S, retry=Retry(NoBackoff(), 0)
        )
        self._connection: Any = pool.make_connection()  # the pool only reads the URL

    async def evalsha(self, sha: str, keys: int, *rest: bytes | str) -> Any:
        return await self._call("EVALSHA", sha, keys, *rest)

    async def eval(self, text: str, keys: int, *rest: bytes | str) -> Any:
        return await self._call("EVAL", text, keys, *rest)

    async def _call(self, *command: bytes | str | int) -> Any:
        connection = self._connection
        try:
            async with asyncio.timeout(self._answer_s):
                await connection.connect()
                await connection.send_command(*command, check_health=False)
                return await connection.read_response()
        except exceptions.ResponseError:
            raise  # an answer like any other
        except BaseException:
            await connection.disconnect(nowait=True)  # what is still on its way must not answer the next call
            raise

    async def aclose(self) -> None:
        await self._connection.disconnect()
