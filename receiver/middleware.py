"""The edge of the HTTP side (pure ASGI): request id, answers to errors, access log, metrics, last catch."""

import logging
import re
from collections.abc import MutableMapping
from itertools import count
from secrets import token_hex
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from receiver.body import ClientGone
from receiver.core.clock import SYSTEM, Clock
from receiver.core.errors import HookError, Refused, Unavailable
from receiver.core.log import request_id
from receiver.core.metrics import Metrics
from receiver.errors_http import answer
from receiver.upload import Upload, will_close

log = logging.getLogger("hookyard.request")

ENDPOINTS = frozenset({"livez", "readyz", "metrics"})
"""First parts of paths that are told apart in metrics; all else is `other`."""

_GIVEN_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_SHOWN_PATH = 200


class Edge:
    """Wraps an application: whatever happens inside, the sender gets an answer of one JSON shape."""

    def __init__(
        self, app: ASGIApp, *, metrics: Metrics, clock: Clock = SYSTEM, raising: str | None = None
    ) -> None:
        """`raising`: the name in metrics of an application that answers 200 or raises. Such a one need not be
        watched, and its good answers carry no request id: 10 µs of a request. Without a name: by the path."""
        self._app = app
        self._raising = raising
        self._metrics = metrics
        self._clock = clock
        self._prefix = token_hex(4)
        self._numbers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = self._clock.monotonic()
        headers = dict(scope["headers"])
        name = self._id(headers.get(b"x-request-id"))
        request_id.set(name)
        exchange = _Exchange(receive, send, name, closing=will_close(scope, headers))
        try:
            if self._raising is None:
                await self._app(scope, exchange.receive, exchange.send)
            else:
                await self._app(scope, exchange.receive, send)
                exchange.status = 200
            code = "ok" if exchange.status < 400 else f"http_{exchange.status}"
        except ClientGone:
            code = "client_gone"
        except (Refused, Unavailable) as error:
            code = await exchange.refuse(error)
        except Exception:
            # The process edge: a bug costs one answer, never the connection.
            log.exception("unexpected error")
            code = await exchange.refuse(HookError("Something went wrong on our side; it is in the log."))
        self._metrics.count("hookyard_requests_total", self._raising or _endpoint(scope["path"]), code)
        level = logging.DEBUG if 200 <= exchange.status < 300 else logging.INFO
        if log.isEnabledFor(level):
            seconds = self._clock.monotonic() - started
            log.log(level, "request", extra=_line(scope, exchange.status, code, seconds))

    def _id(self, given: bytes | None) -> str:
        """The sender's request id if it is fit to be logged and sent back, else one of our own."""
        if given is not None and _GIVEN_ID.fullmatch(given):
            return given.decode()
        return f"{self._prefix}-{next(self._numbers):x}"


class _Exchange:
    """One request and its answer."""

    __slots__ = ("_name", "_send", "_upload", "receive", "status")

    def __init__(self, receive: Receive, send: Send, name: str, *, closing: bool) -> None:
        self._upload = Upload(receive) if closing else None
        self.receive: Receive = self._upload or receive
        self._send = send
        self._name = name
        self.status = 0
        """0: not answered."""

    async def send(self, event: MutableMapping[str, Any]) -> None:
        """Pass on, and watch."""
        if event["type"] == "http.response.start":
            self.status = event["status"]
            name = (b"x-request-id", self._name.encode())
            event = {**event, "headers": [*event.get("headers", ()), name]}
        await self._send(event)

    async def refuse(self, error: HookError) -> str:
        """Answer an error and return its code; an answer that has begun stays, and the server cuts it off."""
        if not self.status:
            if self._upload is not None:
                await self._upload.discard()
            status, headers, body = answer(error)
            await self.send({"type": "http.response.start", "status": status, "headers": headers})
            await self.send({"type": "http.response.body", "body": body})
        return error.code


def _endpoint(path: str) -> str:
    first = path.strip("/").partition("/")[0]
    return first if first in ENDPOINTS else "other"


def _line(scope: Scope, status: int, code: str, seconds: float) -> dict[str, object]:
    """The access log line. The query is left out: senders put keys there."""
    return {
        "method": scope["method"],
        "path": scope["path"][:_SHOWN_PATH],
        "status": status,
        "code": code,
        "ms": round(seconds * 1000, 1),
        "client": scope["client"][0] if scope.get("client") else None,
    }
