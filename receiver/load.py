"""How much one process takes on at a time, so that a flood or slow uploads end in 503, not in a crash."""

from types import TracebackType

from receiver.core.errors import Overloaded

MAX_REQUESTS = 1000
MAX_BYTES = 256_000_000


class Load:
    """Counts the requests in progress and the bytes of their bodies. Belongs to one event loop."""

    def __init__(self, max_requests: int = MAX_REQUESTS, max_bytes: int = MAX_BYTES) -> None:
        self.requests = 0
        self.bytes = 0
        self._max_requests = max_requests
        self._max_bytes = max_bytes

    def request(self) -> "Share":
        """A share for one request: use it as a context manager. Raises Overloaded on entering it."""
        return Share(self)

    def enter(self) -> None:
        if self.requests >= self._max_requests:
            raise Overloaded("Too many requests are in progress; please try again.")
        self.requests += 1

    def take(self, count: int) -> None:
        if self.bytes + count > self._max_bytes:
            raise Overloaded("Too many large bodies are in progress; please try again.")
        self.bytes += count

    def leave(self, count: int) -> None:
        self.requests -= 1
        self.bytes -= count


class Share:
    """What one request holds of the load; given back when the block ends."""

    __slots__ = ("_bytes", "_load")

    def __init__(self, load: Load) -> None:
        self._load = load
        self._bytes = 0

    def take(self, count: int) -> None:
        """Hold so many more bytes. Raises Overloaded when all requests together would hold too many."""
        self._load.take(count)
        self._bytes += count

    def __enter__(self) -> "Share":
        self._load.enter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._load.leave(self._bytes)
