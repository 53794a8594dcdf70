"""Destinations in trouble: `/broken` answers 500, `/slow` answers after five seconds, and a port of its own
lets every connection hang.

python -m benchmarks.troubled PORT DEAD_PORT.
"""

import asyncio
import socket
import sys
from contextlib import ExitStack

from aiohttp import web

SLOW_SECONDS = 5.0
FULL = 8
"""More connections than the queue of the dead port holds."""


async def broken(_request: web.Request) -> web.Response:
    return web.Response(status=500)


async def slow(_request: web.Request) -> web.Response:
    await asyncio.sleep(SLOW_SECONDS)
    return web.Response()


async def fine(_request: web.Request) -> web.Response:
    return web.Response()


def die(port: int, held: ExitStack) -> None:
    """Listen without ever accepting, and fill the queue: the system then drops what else knocks."""
    listening = held.enter_context(socket.socket())
    listening.bind(("127.0.0.1", port))
    listening.listen(0)
    for _ in range(FULL):
        knocking = held.enter_context(socket.socket())
        knocking.setblocking(False)
        knocking.connect_ex(("127.0.0.1", port))


def main(port: int, dead_port: int) -> None:
    app = web.Application()
    app.add_routes([web.get("/", fine), web.post("/broken", broken), web.post("/slow", slow)])
    with ExitStack() as held:
        die(dead_port, held)
        web.run_app(app, host="127.0.0.1", port=port, print=None)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
