"""Good answers, put together once: within a second they are the same bytes for everybody.

uvicorn checks and joins the headers of each answer anew and writes head and body apart: 12 µs of a request.
All that is not a whole, plain 200 still goes its way.
"""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

Headers = tuple[tuple[bytes, bytes], ...]
_Event = MutableMapping[str, Any]

_KEPT = 64
"""Heads that are remembered."""
_NAME = re.compile(rb"[a-z0-9-]+")
_VALUE = re.compile(rb"[!-~](?:[ -~]*[!-~])?")
_SPECIAL = frozenset({b"connection", b"transfer-encoding"})
"""What they say changes how the answer is sent."""


class Answering:
    """Stands before a request's `send`: holds the head back until the body is there.

    It takes itself away from the cycle once that is decided, so that neither keeps the other alive.
    """

    __slots__ = ("_cycle", "_send", "_start")

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle
        self._send: Callable[[Any], Awaitable[None]] = cycle.send
        self._start: _Event | None = None

    async def __call__(self, event: _Event) -> None:
        start, cycle = self._start, self._cycle
        if start is not None:
            self._start = None
            del cycle.send
            if not self._whole(start, event):
                cycle.response_started = False
                await self._send(start)
                await self._send(event)
        elif event["type"] == "http.response.start" and event["status"] == 200 and not cycle.response_started:
            self._start = event
            cycle.response_started = True
        else:
            await self._send(event)

    def _whole(self, start: _Event, event: _Event) -> bool:
        """Write the answer if this is all of it and nothing stands in its way."""
        cycle = self._cycle
        if event.get("more_body") or event["type"] != "http.response.body" or not cycle.keep_alive:
            return False
        if cycle.flow.write_paused or cycle.disconnected or cycle.scope["method"] == "HEAD":
            return False
        head, length = _head((*cycle.default_headers, *start.get("headers", ())))
        body = event.get("body", b"")
        if length != len(body):
            return False
        cycle.waiting_for_100_continue = False
        cycle.transport.write(head + body)
        cycle.response_complete = True
        cycle.message_event.set()
        cycle.on_response()
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
