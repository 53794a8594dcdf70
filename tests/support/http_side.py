"""The HTTP side without Redis: a committer that records, an application around it, and ways to reach it."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, MutableMapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from receiver.app import Store, create_app
from receiver.core.clock import SYSTEM, Clock
from receiver.core.errors import Unavailable
from receiver.core.message import Accepted, NewMessage
from receiver.core.metrics import Metrics
from receiver.core.routes import Config, Route, Source, SourcePath
from receiver.core.settings import Secret, Settings
from receiver.core.verify_options import VerifyNone, VerifySegment
from receiver.exposition import Refresh
from receiver.health import Check
from receiver.load import Load
from receiver.protocol import BoundedHttp
from receiver.refusals import Refusals
from tests.support.sender import Answer, signed

SECRET = "shared-secret-for-tests"
OLD_SECRET = "the-one-before"
ADMIN_TOKEN = "let-me-see"
WRITE_KEY = "web-write-key"
OTHER_WRITE_KEY = "app-write-key"


class Recorder:
    """A committer that keeps messages in a list, as if it were a disk."""

    def __init__(self) -> None:
        self.messages: list[NewMessage] = []
        self.error: Unavailable | Exception | None = None
        self.gate: asyncio.Event | None = None
        """Set it to make commits wait."""

    async def commit(self, messages: list[NewMessage]) -> list[Accepted]:
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        known = {message.message_id for message in self.messages}
        self.messages += messages
        first = len(self.messages) - len(messages) + 1
        return [
            Accepted(number=first + index, repeat=message.message_id in known)
            for index, message in enumerate(messages)
        ]

    @property
    def bodies(self) -> list[bytes]:
        return [message.body for message in self.messages]


def config() -> Config:
    """Sources `shop` (signed; also at shop/crm), `open` (unsigned) and `off` (disabled), `young` (no old
    messages), `web` and `app` (of the tracking API); three routes."""
    verify = (VerifySegment(secrets=(Secret(SECRET), Secret(OLD_SECRET))),)
    unsigned = (VerifyNone(),)
    sources = [
        Source(name="shop", verify=verify, paths={"shop": None, "shop/crm": frozenset({"orders"})}),
        Source(name="open", verify=unsigned, paths={"open": None}),
        Source(name="off", verify=unsigned, paths={"off": None}, enabled=False),
        Source(name="young", verify=unsigned, paths={"young": None}, max_age_s=300.0),
        Source(name="web", verify=unsigned, paths={}, write_keys=(Secret(WRITE_KEY),)),
        Source(name="app", verify=unsigned, paths={}, write_keys=(Secret(OTHER_WRITE_KEY),)),
    ]
    routes = [
        Route(name="all", steps=(), retry=()),
        Route(name="orders", types=frozenset({"track"}), events=("Order *",), steps=(), retry=()),
        Route(name="phones", channels=frozenset({"mobile"}), steps=(), retry=()),
    ]
    return Config(
        sources={source.name: source for source in sources},
        connections={},
        routes={route.name: route for route in routes},
        version="test",
        paths={
            path: SourcePath(source=source, path=path, feeds=feeds)
            for source in sources
            for path, feeds in source.paths.items()
        },
        tracking={
            f"/v1/{source.name}": SourcePath(source=source, path=f"/v1/{source.name}")
            for source in sources
            if source.write_keys
        },
    )


class HttpSide:
    """An application with a recorder behind it."""

    def __init__(
        self,
        *,
        checks: Sequence[Check] = (),
        refreshes: Sequence[Refresh] = (),
        load: Load | None = None,
        configured: Config | None = None,
        clock: Clock = SYSTEM,
        **settings: Any,
    ) -> None:
        self.recorder = Recorder()
        self.metrics = Metrics()
        self.events: list[str] = []
        self.refusals = Refusals(clock)
        self.app = create_app(
            replace(Settings(admin_token=Secret(ADMIN_TOKEN)), **settings),
            configured or config(),
            Store(
                committer=self.recorder,
                refusals=self.refusals,
                checks=tuple(checks),
                refreshes=tuple(refreshes),
                running=self._running,
            ),
            metrics=self.metrics,
            load=load,
            clock=clock,
        )

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        self.events.append("opened")
        yield
        self.events.append("closed")

    def send(self, body: bytes | Sequence[bytes] = b"", *, path: str = "/hooks/shop", **how: Any) -> Answer:
        """One request, driven through the application with no socket; signed unless `headers` are given."""
        return asyncio.run(self.ask(body, path=path, **how))

    async def ask(
        self,
        body: bytes | Sequence[bytes] = b"",
        *,
        path: str = "/hooks/shop",
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
        over: bytes | None = None,
    ) -> Answer:
        """`send` for tests that run a loop of their own."""
        whole = body if isinstance(body, bytes) else b"".join(body)
        given = signed(whole, SECRET, over=over) if headers is None else headers
        chunks = [body] if isinstance(body, bytes) else list(body)
        events = [
            {"type": "http.request", "body": chunk, "more_body": index < len(chunks) - 1}
            for index, chunk in enumerate(chunks)
        ]
        return await exchange(self.app, method, path, given, events)

    def counted(self, name: str) -> float:
        """The value of a series in the text of /metrics, such as `x_total{code="ok"}`; 0 if not there."""
        for line in self.metrics.text().decode().splitlines():
            if line.startswith(name + " "):
                return float(line.rsplit(" ", 1)[1])
        return 0.0


async def exchange(
    app: ASGIApp,
    method: str,
    path: str,
    headers: Mapping[str, str],
    events: Sequence[MutableMapping[str, Any]],
) -> Answer:
    """One ASGI request: `events` are what the server says, then the client is gone. Status 0: no answer."""
    waiting = [*events, {"type": "http.disconnect"}]
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    async def send(event: MutableMapping[str, Any]) -> None:
        sent.append(event)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path.partition("?")[0],
        "raw_path": path.partition("?")[0].encode(),
        "root_path": "",
        "query_string": path.partition("?")[2].encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("192.0.2.1", 4711),
        "server": ("127.0.0.1", 8000),
    }
    await app(scope, receive, send)
    if not sent:
        return Answer(0)
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], found, b"".join(event.get("body", b"") for event in sent[1:]))


@contextmanager
def served(app: ASGIApp, **options: Any) -> Iterator[str]:
    """The application under uvicorn on a free loopback port, in a thread; yields its base URL. `options` are
    those of `uvicorn.Config`."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        started = threading.Event()
        options = {"http": BoundedHttp, "log_config": None, "access_log": False, **options}
        server = _Server(uvicorn.Config(app, **options), started)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            assert started.wait(10), "uvicorn did not start"
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config, started: threading.Event) -> None:
        super().__init__(config)
        self._listening = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listening.set()
