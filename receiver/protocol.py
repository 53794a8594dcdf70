"""The server's HTTP protocol with bounds: uvicorn's takes however much header a sender likes to send, for as
long as it likes, and answers what is no HTTP as text.

It also spares each request what need not be done for each: see `_when_idle` and `receiver.answering`.
"""

import asyncio

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from receiver.answering import Answering
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

    def on_message_begin(self) -> None:
        self._head_bytes, self._in_head = 0, True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head, self._in_body = False, True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """As uvicorn's, but for `_when_idle`."""
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

    def data_received(self, data: bytes) -> None:
        self._idle_since = None
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD:
                self.send_400_response("The request's headers are too large.")
        self._watch_head()
        self._watch_body()

    def send_400_response(self, msg: str) -> None:
        self._answer_and_close(b"400 Bad Request", error_body("bad_request", msg))

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        cycle.send = Answering(cycle)  # type: ignore[method-assign, assignment]
        super()._start_asgi_task(cycle, app)

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
