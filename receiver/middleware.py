"""The edge of the HTTP side (pure ASGI): request id, answers to errors, access log, metrics, last catch."""

import logging
import re
from collections.abc import Mapping, MutableMapping
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
        name = self._id(headers)
        request_id.set(name)
        exchange = _Exchange(receive, send, name, closing=will_close(scope, headers))
        code = await self._run(scope, exchange)
        self._metrics.count("hookyard_requests_total", self._raising or _endpoint(scope["path"]), code)
        level = logging.DEBUG if 200 <= exchange.status < 300 else logging.INFO
        if log.isEnabledFor(level):
            seconds = self._clock.monotonic() - started
            log.log(level, "request", extra=_line(scope, exchange.status, code, seconds))

    async def _run(self, scope: Scope, exchange: "_Exchange") -> str:
        """Answer the request; returns `ok` or the code of what was wrong."""
        try:
            if self._raising is None:
                await self._app(scope, exchange.receive, exchange.send)
            else:
                await self._app(scope, exchange.receive, exchange.pass_on)
                exchange.status = 200
        except ClientGone:
            return "client_gone"
        except (Refused, Unavailable) as error:
            await exchange.refuse(error)
            return error.code
        except Exception:
            # The process edge: a bug costs one answer, never the connection.
            log.exception("unexpected error")
            await exchange.refuse(HookError("Something went wrong on our side; it is in the log."))
            return HookError.code
        return "ok" if exchange.status < 400 else f"http_{exchange.status}"

    def _id(self, headers: Mapping[bytes, bytes]) -> str:
        """The sender's request id if it is fit to be logged and sent back, else one of our own."""
        given = headers.get(b"x-request-id", b"")
        return given.decode() if _GIVEN_ID.fullmatch(given) else f"{self._prefix}-{next(self._numbers):x}"


class _Exchange:
    """One request and its answer."""

    __slots__ = ("_name", "_upload", "pass_on", "receive", "status")

    def __init__(self, receive: Receive, send: Send, name: str, *, closing: bool) -> None:
        self._upload = Upload(receive) if closing else None
        self.receive: Receive = self._upload or receive
        self.pass_on = send
        self._name = name
        self.status = 0
        """0: not answered."""

    async def send(self, event: MutableMapping[str, Any]) -> None:
        """Pass on, and watch."""
        if event["type"] == "http.response.start":
            self.status = event["status"]
            name = (b"x-request-id", self._name.encode())
            event = {**event, "headers": [*event.get("headers", ()), name]}
        await self.pass_on(event)

    async def refuse(self, error: HookError) -> None:
        """Answer an error; an answer that has begun stays as it is, and the server cuts it off."""
        if self.status:
            return
        if self._upload is not None:
            await self._upload.discard()
        status, headers, body = answer(error)
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})


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
