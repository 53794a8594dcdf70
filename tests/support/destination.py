"""HTTP servers on loopback for outbound calls: they record what arrives, and misbehave as told.

Each runs in a thread with a loop of its own, so that tests, workers and threads can all talk to it.
"""

import asyncio
import json
import threading
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

from aiohttp import web

Behaviour = Literal["answer", "hang", "reset", "flood"]
WAIT_S = 10.0


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How one request is treated: answered, left hanging, reset, or answered with a body that never ends."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b'{"success": true}'
    behaviour: Behaviour = "answer"
    delay_s: float = 0.0
    """How long it takes to come."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A request as it arrived; path and query still percent-encoded."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    """A context manager; `url` has no slash at the end."""

    def __init__(self) -> None:
        self.requests: list[Seen] = []
        self.url = ""
        self._arrived = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    async def answer(self, seen: Seen) -> Answer:
        raise NotImplementedError

    def wait_for(self, count: int) -> list[Seen]:
        """Wait until `count` requests arrived; answers them all."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.requests) >= count, WAIT_S):
                raise AssertionError(f"{len(self.requests)} requests arrived, expected {count}")
            return list(self.requests)

    def __enter__(self) -> Self:
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._on_loop(self._start())}"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._on_loop(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT_S)
        self._loop.close()

    def _on_loop(self, call: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(call, self._loop).result(WAIT_S)

    async def _stop(self) -> None:
        self._closing.set()
        await self._runner.cleanup()

    async def _start(self) -> int:
        self._closing = asyncio.Event()
        server = web.Server(self._serve)
        self._runner = web.ServerRunner(server, shutdown_timeout=0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        port: int = self._runner.addresses[0][1]
        return port

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        seen = Seen(
            method=request.method,
            path=request.rel_url.raw_path,
            query=request.rel_url.raw_query_string,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.read(),
        )
        with self._arrived:
            self.requests.append(seen)
            self._arrived.notify_all()
        return await self._play(await self.answer(seen), request)

    async def _play(self, answer: Answer, request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(answer.delay_s)
        if answer.behaviour == "hang":
            await self._closing.wait()
        if answer.behaviour == "reset" and request.transport is not None:
            request.transport.abort()
        if answer.behaviour == "flood":
            return await _flooded(answer, request)
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)


class Destination(Server):
    """Answers by a script, then `otherwise` for ever."""

    def __init__(self, *script: Answer, otherwise: Answer | None = None) -> None:
        super().__init__()
        self._script = deque(script)
        self._otherwise = otherwise or Answer()

    def then(self, *script: Answer) -> None:
        """Answer the next requests so."""
        self._script.extend(script)

    def always(self, answer: Answer) -> None:
        """Answer so from now on, when the script is over."""
        self._otherwise = answer

    async def answer(self, seen: Seen) -> Answer:
        return self._script.popleft() if self._script else self._otherwise


async def _flooded(answer: Answer, request: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    await response.prepare(request)
    try:
        while True:
            await response.write(b"x" * 65_536)
    except ConnectionError:
        return response
