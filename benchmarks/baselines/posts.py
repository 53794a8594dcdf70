"""Baseline of the HTTP step: a bare aiohttp loop that posts the same small JSON at the same concurrency.

    python -m benchmarks.baselines.posts PORT COUNT CONCURRENCY

prints the rate as JSON.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator

import aiohttp
import msgspec
import uvloop

from benchmarks.messages import many


class Seen(msgspec.Struct):
    """What the step's template takes from a message."""

    messageId: str | None = None
    type: str | None = None
    userId: str | None = None


async def post_all(session: aiohttp.ClientSession, url: str, bodies: Iterator[bytes]) -> int:
    """One of the concurrent loops; answers how many were answered 200."""
    done = 0
    for body in bodies:
        seen = msgspec.json.decode(body, type=Seen)
        async with session.post(
            url, json={"id": seen.messageId, "type": seen.type, "user": seen.userId}
        ) as response:
            await response.read()
            done += response.status == 200
    return done


async def run(port: int, count: int, concurrency: int) -> dict[str, float]:
    bodies = iter(many(count))
    connector = aiohttp.TCPConnector(limit=concurrency)
    async with aiohttp.ClientSession(connector=connector) as session:
        start = time.perf_counter()
        loops = [post_all(session, f"http://127.0.0.1:{port}/hook", bodies) for _ in range(concurrency)]
        done = sum(await asyncio.gather(*loops))
        seconds = time.perf_counter() - start
    return {"rate": done / seconds, "done": done}


if __name__ == "__main__":
    print(json.dumps(uvloop.run(run(*(int(argument) for argument in sys.argv[1:4])))))
