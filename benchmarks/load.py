"""An HTTP load generator that is fast enough to saturate a uvicorn process from one other core.

    python -m benchmarks.load '{"port": 8000, "path": "/hooks/shop", "count": 20000}'

posts generated messages to 127.0.0.1 and prints one line of JSON (`Result`). Requests are made and signed
before the clock starts; connections are kept alive, one request in flight on each. Bounded in count and time.
With `rate`, requests leave on a fixed timetable instead (open loop), each stamped with its time of sending.
"""

import asyncio
import base64
import hmac
import sys
import time
from collections import Counter, deque
from itertools import islice
from typing import cast

import msgspec
import uvloop

from benchmarks.messages import generate

STAMP = b'{"benchSentNs":%d,'
"""Put in front of a paced message: when it was sent, in ns since 1970. `benchmarks.handlers` reads it."""


class Load(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to send."""

    port: int
    path: str
    count: int
    """Messages; with `batch`, count / batch requests."""
    seconds: float = 30.0
    """Stops sending after so long."""
    seed: int = 1
    connections: int = 64
    batch: int = 1
    rate: float | None = None
    """Requests a second; None: as fast as answers come."""
    secret: str | None = None
    """Signs as Segment does; None: unsigned."""
    write_key: str | None = None
    """Calls the tracking API as the libraries do, with this key."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    messages: int
    """Messages answered 200."""
    failed: int
    """Requests answered otherwise, or not at all."""
    statuses: dict[str, int]
    started: float
    """When the first byte was sent: the machine's monotonic clock, which all its processes share."""
    seconds: float
    """From then to the last answer."""
    rate: float
    """Messages answered 200 a second."""
    p50_ms: float
    p99_ms: float


def body_of(load: Load, messages: list[bytes]) -> bytes:
    """One message as it is; several as the array a batching destination sends, or as a library's envelope."""
    if load.batch == 1:
        return messages[0]
    array = b"[" + b",".join(messages) + b"]"
    return array if load.write_key is None else b'{"batch":' + array + b"}"


def request(load: Load, body: bytes, signed: bytes) -> bytes:
    """The whole request; `signed` is what the signature covers (of a batch, its first message)."""
    head = f"POST {load.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    if load.secret is not None:
        head += f"X-Signature: {hmac.new(load.secret.encode(), signed, 'sha1').hexdigest()}\r\n"
    if load.write_key is not None:
        head += f"Authorization: Basic {base64.b64encode(f'{load.write_key}:'.encode()).decode()}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Run:
    """One run of a load: hands requests to connections and counts the answers."""

    def __init__(self, load: Load) -> None:
        self.load = load
        source = generate(load.seed)
        groups = (list(islice(source, load.batch)) for _ in range(load.count // load.batch))
        self._bodies = deque((body_of(load, group), group[0]) for group in groups)
        self._requests: deque[bytes] = deque()
        if load.rate is None:
            self._requests.extend(request(load, body, first) for body, first in self._bodies)
        self.latencies: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.stopped = False
        self.idle: deque[Connection] = deque()
        self.busy = 0
        self.finished = asyncio.Event()
        self._first = self._last = 0.0

    async def go(self) -> Result:
        """Send everything, or until time is up."""
        loop = asyncio.get_running_loop()
        for _ in range(self.load.connections):
            await loop.create_connection(lambda: Connection(self), "127.0.0.1", self.load.port)
        self._first = time.monotonic()
        timer = loop.call_later(self.load.seconds, self._stop)
        if self.load.rate is None:
            for _ in range(len(self.idle)):
                self.next_on(self.idle.popleft())
        else:
            await self._pace(self.load.rate)
        if self.busy:
            self.finished.clear()
            await self.finished.wait()
        timer.cancel()
        for connection in list(self.idle):
            connection.close()
        return self._result()

    def next_on(self, connection: "Connection") -> None:
        """The connection is free: give it the next request, or end."""
        if self._requests and not self.stopped:
            self.busy += 1
            connection.send(self._requests.popleft())
            return
        self.idle.append(connection)
        if self.busy == 0:
            self.finished.set()

    def answered(self, connection: "Connection", status: str, seconds: float) -> None:
        self.busy -= 1
        self._last = time.monotonic()
        self.statuses[status] += 1
        if status == "200":
            self.latencies.append(seconds)
        self.next_on(connection)

    def lost(self, connection: "Connection", waiting: bool) -> None:
        """A connection closed; not replaced, or a server that drops them would keep us busy for ever."""
        if connection in self.idle:
            self.idle.remove(connection)
        if waiting:
            self.busy -= 1
            self.statuses["lost"] += 1
            if self.busy == 0:
                self.finished.set()

    async def _pace(self, rate: float) -> None:
        """The n-th request is due at n / rate, and leaves then or as soon after as a connection is free."""
        start = time.perf_counter()
        for number, (body, _) in enumerate(self._bodies):
            await asyncio.sleep(max(0.0, start + number / rate - time.perf_counter()))
            if self.stopped:
                return
            stamped = STAMP % time.time_ns() + body[1:]
            self._requests.append(request(self.load, stamped, stamped))
            if self.idle:
                self.next_on(self.idle.popleft())

    def _stop(self) -> None:
        self.stopped = True
        asyncio.get_running_loop().call_later(5.0, self.finished.set)

    def _result(self) -> Result:
        seconds = max(self._last - self._first, 1e-9)
        messages = self.statuses["200"] * self.load.batch
        return Result(
            messages=messages,
            failed=sum(self.statuses.values()) - self.statuses["200"] + self.busy,
            statuses=dict(self.statuses),
            started=self._first,
            seconds=seconds,
            rate=messages / seconds,
            p50_ms=percentile(self.latencies, 0.50) * 1000,
            p99_ms=percentile(self.latencies, 0.99) * 1000,
        )


class Connection(asyncio.Protocol):
    """One kept-alive connection, one request at a time; reads just enough of HTTP/1.1 to find the end."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._sent = 0.0
        self._received = b""
        self._waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._run.idle.append(self)

    def send(self, data: bytes) -> None:
        self._waiting = True
        self._sent = time.perf_counter()
        self._transport.write(data)

    def close(self) -> None:
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._received[:end].lower() + b"\r\n"
        found = head.find(b"content-length:")
        length = int(head[found + 15 : head.index(b"\r\n", found)]) if found >= 0 else 0
        if len(self._received) < end + 4 + length:
            return
        status = self._received[9:12].decode("ascii", "replace")
        self._received = b""
        self._waiting = False
        self._run.answered(self, status, time.perf_counter() - self._sent)

    def connection_lost(self, exc: Exception | None) -> None:
        self._run.lost(self, self._waiting)


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of the values lie; 0 of none."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def main(arguments: list[str]) -> int:
    load = msgspec.json.decode(arguments[0], type=Load)

    async def run() -> Result:
        return await Run(load).go()

    print(msgspec.json.encode(uvloop.run(run())).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
