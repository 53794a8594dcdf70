"""The load generator counts what was answered, signs what it sends, and ends."""

import asyncio
import hmac
from itertools import islice

from benchmarks.load import Load, Result, Run, request
from benchmarks.messages import generate


class Server(asyncio.Protocol):
    """Answers each request in turn with the statuses it was given, in two pieces; hangs up on 0."""

    def __init__(self, statuses: list[int], closed: asyncio.Event) -> None:
        self.statuses = statuses
        self.closed = closed

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if not data.endswith(b"}") and not data.endswith(b"]"):
            return
        status = self.statuses.pop()
        if status == 0:
            self.transport.close()
            return
        self.transport.write(b"HTTP/1.1 %d X\r\nCONTENT-LENGTH: 4\r\n\r\nab" % status)
        asyncio.get_running_loop().call_soon(self.transport.write, b"cd")

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()


def against(statuses: list[int], **load: float) -> Result:
    async def run() -> Result:
        closed = asyncio.Event()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Server(statuses, closed), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            fields = {"count": len(statuses), "connections": 1, **load}
            result = await Run(Load(port=port, path="/x", **fields)).go()  # type: ignore[arg-type]
            await asyncio.wait_for(closed.wait(), 5)
            return result

    return asyncio.run(run())


def test_every_answer_is_counted() -> None:
    result = against([200] * 8 + [503, 400])
    assert result.statuses == {"200": 8, "503": 1, "400": 1}
    assert (result.messages, result.failed) == (8, 2)


def test_a_closed_connection_is_a_failure_not_a_hang() -> None:
    result = against([200, 0, 200])
    assert (result.messages, result.failed) == (1, 1)


def test_batches_count_their_messages() -> None:
    result = against([200, 200], batch=5, count=10)
    assert (result.messages, result.failed) == (10, 0)


def test_a_timetable_is_kept() -> None:
    result = against([200] * 20, rate=200.0)
    assert (result.messages, result.failed) == (20, 0)
    assert result.seconds >= 19 / 200


def test_the_signature_is_segments() -> None:
    body = next(islice(generate(3), 1))
    made = request(Load(port=1, path="/x", count=1, secret="s"), body, body)
    assert b"X-Signature: " + hmac.new(b"s", body, "sha1").hexdigest().encode() + b"\r\n" in made
    assert made.endswith(b"\r\n\r\n" + body)
