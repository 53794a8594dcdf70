"""The server's HTTP protocol with bounds: uvicorn's takes however much header a sender likes to send, for as
long as it likes, and answers what is no HTTP as text.

It also does once for a connection what uvicorn does for each of its requests, and is meant for the server of
`receiver.cli.serve` only: no WebSockets, no access log of uvicorn's, no limit of concurrency.
"""

import asyncio
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from receiver.cycle import Cycle
from receiver.errors_http import error_body

MAX_HEAD = 65536
"""Bytes of request line and headers."""
HEAD_SECONDS = 10.0
"""For request line and headers, once the connection is open or the first of them arrived."""
BODY_SECONDS = 60.0
"""For the rest of a request: longer than any application waits for it, so that an answer was sent before."""
HEAD = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"


class BoundedHttp(HttpToolsProtocol):
    """HTTP/1.1 for one connection; heads are bounded in bytes and time, errors have one shape."""

    cycle: Cycle
    _head_bytes = 0
    _in_head = True
    _in_body = False
    _body_timer: asyncio.TimerHandle | None = None
    _head_timer: asyncio.TimerHandle | None = None
    _idle_timer: asyncio.TimerHandle | None = None
    _idle_since: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._in_head = self._in_body = False
        self._watch_head()
        self._watch_body()
        if self._idle_timer is not None:
            self._idle_timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._idle_since = None
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD:
                self.send_400_response("The request's headers are too large.")
        self._watch_head()
        self._watch_body()

    def on_message_begin(self) -> None:
        self._head_bytes, self._in_head = 0, True
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_headers_complete(self) -> None:
        self._in_head, self._in_body = False, True
        version = self.parser.get_http_version()
        keep_alive = version != "1.0" and self.parser.should_keep_alive()
        cycle = Cycle(
            self._scope(version),
            self.transport,
            self.flow,
            self.server_state.default_headers,
            keep_alive=keep_alive,
            expects_continue=self.expect_100_continue,
            on_response=self.on_response_complete,
        )
        before, self.cycle = self.cycle, cycle
        if before is None or before.response_complete:
            self._start_asgi_task(cycle, self.app)
        else:  # its turn comes when the one before is answered
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))

    def on_body(self, body: bytes) -> None:
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.add(body)
            if len(cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()

    def on_message_complete(self) -> None:
        self._in_body = False
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.more_body = False
            cycle.message_event.set()

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._idle_since = self.loop.time()
        if self._idle_timer is None:
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._when_idle)

    def send_400_response(self, msg: str) -> None:
        self._answer_and_close(b"400 Bad Request", error_body("bad_request", msg))

    def _scope(self, version: str) -> dict[str, object]:
        """What ASGI tells the application of a request."""
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        return {
            "type": "http",
            "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
            "http_version": version,
            "method": self.parser.get_method().decode("ascii"),
            "scheme": self.scheme,
            "path": unquote(path) if "%" in path else path,
            "raw_path": url.path,
            "query_string": url.query or b"",
            "root_path": "",
            "headers": self.headers,
            "client": self.client,
            "server": self.server,
            "state": self.app_state.copy(),
        }

    def _when_idle(self) -> None:
        """Closes a connection nobody uses. One timer for all its requests: to set and cancel one for each
        took 2 µs."""
        self._idle_timer = None
        left: float = self.timeout_keep_alive
        if self._idle_since is not None:
            left += self._idle_since - self.loop.time()
        if left > 0:
            self._idle_timer = self.loop.call_later(left, self._when_idle)
        else:
            self.transport.close()

    def _watch_head(self) -> None:
        """A timer only while a head is on its way: most arrive whole."""
        if self._in_head and self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._too_slow)
        elif not self._in_head and self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _watch_body(self) -> None:
        """A body may go on coming after it was answered: not for ever."""
        if self._in_body and self._body_timer is None:
            self._body_timer = self.loop.call_later(BODY_SECONDS, self.transport.close)
        elif not self._in_body and self._body_timer is not None:
            self._body_timer.cancel()
            self._body_timer = None

    def _too_slow(self) -> None:
        if self.transport.is_closing():
            return
        if self._head_bytes:
            body = error_body(
                "head_timeout", f"The headers did not arrive within {HEAD_SECONDS:.0f} seconds."
            )
            self._answer_and_close(b"408 Request Timeout", body)
        else:
            self.transport.close()

    def _answer_and_close(self, status: bytes, body: bytes) -> None:
        self.transport.write(HEAD % (status, len(body)) + body)
        self.transport.close()
