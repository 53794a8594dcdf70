"""Errors as HTTP: each class has its status, and all have one JSON shape."""

import json
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from receiver.core.errors import HookError, Refused, Unavailable

Headers = list[tuple[bytes, bytes]]


def answer(error: HookError) -> tuple[int, Headers, bytes]:
    """Status, headers and body; what is neither the sender's fault nor temporary answers 500."""
    status = error.status if isinstance(error, Refused | Unavailable) else 500
    body = error_body(error.code, error.message)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if isinstance(error, Unavailable):
        headers.append((b"retry-after", str(error.retry_after).encode()))
    return status, headers, body


def error_body(code: str, message: str) -> bytes:
    """The one shape of every error."""
    return json.dumps({"success": False, "code": code, "message": message}).encode()


def http_exception(request: Request, error: Exception) -> Response:
    """For what the router itself refuses: no such page, or not with this method."""
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    return Response(
        error_body(status.name.lower(), f"{status.phrase}."),
        status_code=status,
        headers=error.headers,
        media_type="application/json",
    )
