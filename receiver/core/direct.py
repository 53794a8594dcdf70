"""Script calls without redis-py's client around them, for the one path where microseconds count.

What the client does for each call (lending a connection, retries, telemetry, packing in Python) took 480 µs
for a call of 100 messages; this takes 120 µs. Its connections are of the client's pool, time-outs included.
"""

from typing import Any, TypeVar

import hiredis
import redis.asyncio
from redis import exceptions
from redis.asyncio.connection import AbstractConnection

from receiver.core import keys
from receiver.core.scripts import Call, translate

T = TypeVar("T")


class Direct:
    """Runs calls, each on a connection of its own; keeps as many as were ever in use together."""

    def __init__(self, client: "redis.asyncio.Redis") -> None:
        self._pool: Any = client.connection_pool
        self._idle: list[AbstractConnection] = []

    async def run(self, made: Call[T]) -> T:
        """Send a call. Raises StoreUnavailable or StoreFull, as `scripts.run` does."""
        try:
            connection = self._idle.pop() if self._idle else await self._pool.get_connection()
            try:
                # One that the server closed meanwhile is opened anew.
                await self._pool.ensure_connection(connection)
                try:
                    reply = await _ask(connection, "EVALSHA", made.script.sha, made.arguments)
                except exceptions.NoScriptError:
                    reply = await _ask(connection, "EVAL", made.script.text, made.arguments)
            finally:
                # After an error redis-py has closed it, which is as good as new.
                self._idle.append(connection)
        except (exceptions.RedisError, OSError, TimeoutError) as error:
            raise translate(error) from error
        return made.decode(reply)

    async def close(self) -> None:
        """Give the connections back; none may be in use."""
        while self._idle:
            await self._pool.release(self._idle.pop())


async def _ask(
    connection: AbstractConnection, command: str, script: str, arguments: tuple[bytes | str, ...]
) -> Any:
    whole: tuple[Any, ...] = (command, script, 1, keys.key("META"), *arguments)
    await connection.send_packed_command(hiredis.pack_command(whole))
    return await connection.read_response()
