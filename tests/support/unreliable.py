"""A proxy that misbehaves to order: stands between a client and a server on loopback."""

import http.client
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Literal
from urllib.parse import urlsplit

from tests.support.served import Served

Fault = Literal["refused", "later", "lost", "cut"]
"""503; 503 with Retry-After; passed on, but answered 503; passed on, and the connection closed."""

_OWN_HEADERS = {"connection", "content-length", "date", "server", "transfer-encoding"}
"""Of an answer, those that this side writes itself."""
_REFUSAL = b'{"success": false, "code": "unavailable", "message": "to order"}'


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that came by."""

    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    status: int
    """What it was answered; 0: nothing."""
    reached: int
    """What the target answered; 0: it was not asked."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Unreliable(Served):
    """Passes requests on to `target`, but to the next POSTs does what `faults` says."""

    def __init__(self, target: str) -> None:
        self.faults: deque[Fault] = deque()
        self.seen: list[Seen] = []
        self._target = urlsplit(target)
        super().__init__(type("_Bound", (_Handler,), {"proxy": self}))

    def next_fault(self) -> Fault | None:
        """What is done to the next POST."""
        try:
            return self.faults.popleft()
        except IndexError:
            return None

    def passed_on(self, method: str, path: str, headers: dict[str, str], body: bytes) -> _Answer:
        """What the target answers."""
        connection = http.client.HTTPConnection(self._target.netloc, timeout=30)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in _OWN_HEADERS]
            return _Answer(answer.status, kept, answer.read())
        finally:
            connection.close()


class _Handler(BaseHTTPRequestHandler):
    proxy: Unreliable

    def do_GET(self) -> None:
        self._pass_on(None)

    def do_OPTIONS(self) -> None:
        self._pass_on(None)

    def do_POST(self) -> None:
        self._pass_on(self.proxy.next_fault())

    def _pass_on(self, fault: Fault | None) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        answer, reached = _Answer(503, [("Content-Type", "application/json")], _REFUSAL), 0
        if fault in (None, "lost", "cut"):
            real = self.proxy.passed_on(self.command, self.path, headers, body)
            answer, reached = (real if fault is None else answer), real.status
        status = 0 if fault == "cut" else answer.status
        self.proxy.seen.append(Seen(self.command, self.path, headers, body, status, reached))
        self.close_connection = True
        if fault != "cut":
            self._answer(answer, [("Retry-After", "1")] if fault == "later" else [])

    def _answer(self, answer: _Answer, more: list[tuple[str, str]]) -> None:
        self.send_response(answer.status)
        for name, value in [*answer.headers, *more]:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the test says what matters."""
