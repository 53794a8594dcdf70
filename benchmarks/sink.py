"""A local HTTP destination that answers 200 to everything, as cheaply as possible.

python -m benchmarks.sink PORT. Every answer says how many requests with a body came before it.
"""

import asyncio
import sys
import urllib.request
from typing import cast

import uvloop

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%d"


class Sink(asyncio.Protocol):
    """One connection; requests carry a Content-Length or no body."""

    bodies = 0
    """Requests with a body, on all connections."""

    def __init__(self) -> None:
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._received[:end]).lower() + b"\r\n"
            found = head.find(b"content-length:")
            length = int(head[found + 15 : head.index(b"\r\n", found)]) if found >= 0 else 0
            if len(self._received) < end + 4 + length:
                return
            del self._received[: end + 4 + length]
            self._transport.write(HEAD % (len(str(Sink.bodies)), Sink.bodies))
            Sink.bodies += length > 0


def bodies(port: int) -> int:
    """How many requests with a body the sink on this port got."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
        return int(answer.read())


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
