"""Baseline of accepting: what people write by hand. Starlette, and one RQ job for each message.

BENCH_REDIS_URL names the Redis.
"""

import os

from redis import Redis
from rq import Queue
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


def create_app() -> Starlette:
    """The application, as a uvicorn factory."""
    queue = Queue("bench", connection=Redis.from_url(os.environ["BENCH_REDIS_URL"]))

    async def receive(request: Request) -> JSONResponse:
        # Called on the loop: handing each call to a thread was measured and is slower.
        queue.enqueue("benchmarks.handlers.job", await request.body())
        return JSONResponse({"success": True})

    async def ready(_: Request) -> JSONResponse:
        return JSONResponse({})

    return Starlette(routes=[Route("/hooks/shop", receive, methods=["POST"]), Route("/livez", ready)])
