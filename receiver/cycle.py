"""One request and its answer, as the server's protocol knows them: uvicorn's own, with a shorter way for what
nearly all of them are, a body that came whole and a whole, plain 200.

uvicorn makes each request anew what is the same for all, checks and joins the headers of each answer, and
writes head and body apart. What is not plain still goes its way.
"""

import asyncio
import logging
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

Headers = tuple[tuple[bytes, bytes], ...]

_KEPT = 64
"""Heads that are remembered: the date is one of their headers, so they change by the second."""
_NAME = re.compile(rb"[a-z0-9-]+")
_VALUE = re.compile(rb"[!-~](?:[ -~]*[!-~])?")
_SPECIAL = frozenset({b"connection", b"transfer-encoding"})
"""What they say changes how the answer is sent."""


class Cycle(RequestResponseCycle):
    """Its `receive` and `send` are what the application gets."""

    logger = logging.getLogger("uvicorn.error")
    access_log = False
    disconnected = False
    more_body = True
    response_started = False
    response_complete = False
    chunked_encoding = None
    expected_content_length = 0
    body: bytes | bytearray = b""  # type: ignore[assignment]
    _start: Any = None
    """The head of an answer, held back until its body is there, as ASGI wants it."""

    def __init__(  # uvicorn's own sets twice as much
        self,
        scope: Any,
        transport: asyncio.Transport,
        flow: FlowControl,
        default_headers: list[tuple[bytes, bytes]],
        *,
        keep_alive: bool,
        expects_continue: bool,
        on_response: Callable[[], None],
    ) -> None:
        self.scope = scope
        self.transport = transport
        self.flow = flow
        self.default_headers = default_headers
        self.keep_alive = keep_alive
        self.waiting_for_100_continue = expects_continue
        self.on_response = on_response
        self.message_event = asyncio.Event()

    def add(self, chunk: bytes) -> None:
        """More of the body, which mostly comes in one piece."""
        if not self.body:
            self.body = chunk
        else:
            if isinstance(self.body, bytes):
                self.body = bytearray(self.body)
            self.body += chunk
        self.message_event.set()

    async def receive(self) -> Any:
        if self.waiting_for_100_continue:
            self.waiting_for_100_continue = False
            if not self.transport.is_closing():
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if not self.disconnected and not self.response_complete:
            self.flow.resume_reading()
            if not self.message_event.is_set():
                await self.message_event.wait()
            self.message_event.clear()
        if self.disconnected or self.response_complete:
            return {"type": "http.disconnect"}
        body, self.body = bytes(self.body), b""
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    async def send(self, event: Any) -> None:
        start = self._start
        if start is not None:
            self._start = None
            if not self._sent_whole(start, event):
                self.response_started = False
                await super().send(start)
                await super().send(event)
        elif event["type"] == "http.response.start" and event["status"] == 200 and not self.response_started:
            self._start = event
            self.response_started = True
        else:
            await super().send(event)

    def _sent_whole(self, start: Any, event: Any) -> bool:
        """Write the answer if this is all of it and nothing stands in its way."""
        if event["type"] != "http.response.body" or event.get("more_body") or not self.keep_alive:
            return False
        if self.flow.write_paused or self.disconnected or self.scope["method"] == "HEAD":
            return False
        head, length = _head((*self.default_headers, *start.get("headers", ())))
        body = event.get("body", b"")
        if length != len(body):
            return False
        self.waiting_for_100_continue = False
        self.transport.write(head + body)
        self.response_complete = True
        self.message_event.set()
        self.on_response()
        return True


@lru_cache(_KEPT)
def _head(headers: Headers) -> tuple[bytes, int | None]:
    """The head of an answer, and the length it says its body has; None: leave it to uvicorn."""
    lines = [b"HTTP/1.1 200 OK"]
    length = None
    for name, value in headers:
        if name in _SPECIAL or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            return b"", None
        if name == b"content-length":
            length = int(value)
        lines.append(b"%b: %b" % (name, value))
    return b"\r\n".join([*lines, b"", b""]), length
