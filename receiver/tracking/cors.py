"""What browsers ask for before they let a page of another site call us (segment.md 3.6).

Every origin may call: what opens this API is the write key, which every such page shows, and no cookie.
"""

import re
from collections.abc import MutableMapping
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

Headers = list[tuple[bytes, bytes]]

ALLOWED_HEADERS = b"authorization, content-type, x-retry-count"
MAX_AGE_S = 86_400
"""Longest time browsers remember the answer; some remember less."""
_HEADER_NAMES = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,2000}")


class Cors:
    """Wraps an application: its answers, errors too, may be read by the page that asked."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = _header(scope, b"origin")
        await self._app(scope, receive, send if origin is None else _with_headers(send, origin))


async def preflight(scope: Scope, send: Send) -> None:
    """Answer OPTIONS: without authentication, as browsers send none."""
    asked = _header(scope, b"access-control-request-headers")
    allowed = ALLOWED_HEADERS
    if asked is not None and _HEADER_NAMES.fullmatch(asked):
        allowed += b", " + asked
    headers = [
        (b"access-control-allow-methods", b"POST, GET, OPTIONS"),
        (b"access-control-allow-headers", allowed),
        (b"access-control-max-age", str(MAX_AGE_S).encode()),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _with_headers(send: Send, origin: bytes) -> Send:
    ours: Headers = [
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", b"Retry-After"),
        (b"vary", b"Origin"),
    ]

    async def passed_on(event: MutableMapping[str, Any]) -> None:
        if event["type"] == "http.response.start":
            event = {**event, "headers": [*event.get("headers", ()), *ours]}
        await send(event)

    return passed_on


def _header(scope: Scope, name: bytes) -> bytes | None:
    for key, value in scope["headers"]:
        if key == name:
            found: bytes = value
            return found
    return None
