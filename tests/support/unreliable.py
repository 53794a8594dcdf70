"""A proxy that misbehaves to order: stands between a client and a server on loopback."""

import http.client
import threading
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlsplit

Fault = Literal["refused", "later", "lost", "cut"]
"""503; 503 with Retry-After; passed on, but answered 503; passed on, and the connection closed."""

_REFUSAL = b'{"success": false, "code": "unavailable", "message": "to order"}'


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that came by."""

    path: str
    headers: dict[str, str]
    """Names in lower case."""
    status: int
    """What it was answered; 0: nothing."""


class Unreliable:
    """Passes requests on to `target`, but to the next ones does what `faults` says."""

    def __init__(self, target: str) -> None:
        self.faults: deque[Fault] = deque()
        self.seen: list[Seen] = []
        self._target = urlsplit(target)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("_Bound", (_Handler,), {"proxy": self}))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def passed_on(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """What the target answers."""
        connection = http.client.HTTPConnection(self._target.netloc, timeout=30)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


class _Handler(BaseHTTPRequestHandler):
    proxy: Unreliable

    def do_POST(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        fault = self.proxy.faults.popleft() if self.proxy.faults else None
        status, answer = 503, _REFUSAL
        if fault in (None, "lost", "cut"):
            status, answer = self.proxy.passed_on("POST", self.path, headers, body)
        if fault == "lost":
            status, answer = 503, _REFUSAL
        self.proxy.seen.append(Seen(self.path, headers, 0 if fault == "cut" else status))
        self.close_connection = True
        if fault == "cut":
            return
        self.send_response(status)
        if fault == "later":
            self.send_header("Retry-After", "1")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the test says what matters."""
