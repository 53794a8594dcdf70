"""The server's HTTP protocol with bounds: uvicorn's takes however much header a sender likes to send, for as
long as it likes, and answers what is no HTTP as text."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

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

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._in_head = self._in_body = False
        self._watch_head()
        self._watch_body()

    def on_message_begin(self) -> None:
        self._head_bytes, self._in_head = 0, True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head, self._in_body = False, True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_body = False
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD:
                self.send_400_response("The request's headers are too large.")
        self._watch_head()
        self._watch_body()

    def send_400_response(self, msg: str) -> None:
        self._answer_and_close(b"400 Bad Request", error_body("bad_request", msg))

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
