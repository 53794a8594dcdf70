"""What one process takes on at a time, and for how long, so that a flood or slow uploads end in 503 and 408.

One look every few seconds finds the bodies that take too long. A timer for each of them took 20 µs of the
125 µs of a request under uvloop, and nearly always for a body that was already there.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any

from receiver.beside import beside
from receiver.core.errors import BodyTimeout, Overloaded

MAX_REQUESTS = 1000
MAX_BYTES = 256_000_000
READ_SECONDS = 30.0
"""For a whole body; Segment itself gives up after 5 to 10 seconds."""
_LOOKS = 10
"""How often a body is looked at in that time; it may take a tenth longer."""


class Load:
    """The requests in progress and the bytes of their bodies. Belongs to one event loop."""

    def __init__(
        self,
        max_requests: int = MAX_REQUESTS,
        max_bytes: int = MAX_BYTES,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self.bytes = 0
        self.shares: set[Share] = set()
        self.max_requests = max_requests
        self.max_bytes = max_bytes
        self.read_seconds = read_seconds
        self.loop: asyncio.AbstractEventLoop | None = None

    def request(self) -> "Share":
        """A share for one request: use it as a context manager. Raises Overloaded on entering it."""
        return Share(self)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Inside, bodies that take too long are given up."""
        self.loop = asyncio.get_running_loop()
        async with beside(self._watch()):
            yield

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self.read_seconds / _LOOKS)
            for share in self.shares:
                share.look()


class Share:
    """What one request holds of the load, given back when the block ends."""

    __slots__ = ("_bytes", "_load", "_looks", "_reader")

    def __init__(self, load: Load) -> None:
        self._load = load
        self._bytes = 0
        self._looks = 0
        self._reader: asyncio.Task[Any] | None = None
        """The task that reads the body, as long as it does."""

    def take(self, count: int, more: bool = False) -> None:
        """Hold so many more bytes; without `more` to come, what is done with them may take its time.

        Raises Overloaded when all requests together would hold too many.
        """
        load = self._load
        if load.bytes + count > load.max_bytes:
            raise Overloaded("Too many large bodies are in progress; please try again.")
        load.bytes += count
        self._bytes += count
        if not more:
            self._reader = None

    def cancelled(self) -> None:
        """Call it where the reading of a body was cancelled. Raises BodyTimeout if it had taken too long."""
        if self._looks > _LOOKS and self._reader is not None and self._reader.uncancel() == 0:
            seconds = self._load.read_seconds
            raise BodyTimeout(f"The body did not arrive within {seconds:.0f} seconds.") from None

    def look(self) -> None:
        """Cancel the reading of a body that takes too long."""
        self._looks += 1
        if self._reader is not None and self._looks > _LOOKS:
            self._reader.cancel()

    def __enter__(self) -> "Share":
        load = self._load
        if len(load.shares) >= load.max_requests:
            raise Overloaded("Too many requests are in progress; please try again.")
        load.shares.add(self)
        self._reader = asyncio.current_task(load.loop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        load = self._load
        load.bytes -= self._bytes
        load.shares.remove(self)
