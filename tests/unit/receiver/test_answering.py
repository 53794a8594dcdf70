"""Answers are the same, byte by byte, as those of uvicorn's own protocol; only their way is shorter."""

import re
import socket
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tests.support.http_side import served

GOOD = [(b"content-type", b"application/json"), (b"content-length", b"2")]
Events = Sequence[dict[str, Any]]


def start(headers: Any = GOOD, status: int = 200) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": headers}


def body(text: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": text, "more_body": more}


SCRIPTS: dict[str, Events] = {
    "/good": [start(), body(b"{}")],
    "/refused": [start(status=404), body(b"{}")],
    "/parts": [start(), body(b"{", more=True), body(b"}")],
    "/chunked": [start([]), body(b"{", more=True), body(b"}")],
    "/without-length": [start([(b"x-a", b"1")]), body(b"{}")],
    "/empty": [start([(b"content-length", b"0")]), {"type": "http.response.body"}],
    "/no-headers": [{"type": "http.response.start", "status": 200}, body(b"{}")],
    "/closing": [start([*GOOD, (b"connection", b"close")]), body(b"{}")],
    "/capitals": [start([(b"Content-Length", b"2")]), body(b"{}")],
    "/tab": [start([*GOOD, (b"x-a", b"a\tb")]), body(b"{}")],
    "/bad-name": [start([*GOOD, (b"x a", b"1")]), body(b"{}")],
    "/bad-value": [start([*GOOD, (b"x-a", b"1\r\nx-b: 2")]), body(b"{}")],
    "/too-long": [start(), body(b"{ }")],
    "/too-short": [start(), body(b"{")],
    "/body-only": [body(b"{}")],
    "/start-only": [start()],
    "/nothing": [],
    "/twice": [start(), start(), body(b"{}")],
    "/more-after-the-end": [start(), body(b"{}"), body(b"{}")],
}


async def scripted(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the request, then sends what its path names."""
    while (await receive()).get("more_body"):
        pass
    for event in SCRIPTS[scope["path"]]:
        await send(event)


@pytest.fixture(scope="module")
def ours() -> Iterator[str]:
    with served(scripted, lifespan="off") as url:
        yield url


@pytest.fixture(scope="module")
def uvicorns() -> Iterator[str]:
    with served(scripted, lifespan="off", http=HttpToolsProtocol) as url:
        yield url


def exchanged(url: str, sent: bytes) -> bytes:
    """What comes back until the server closes, without the date."""
    with socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), 5) as sender:
        sender.sendall(sent)
        received = b""
        while chunk := sender.recv(65536):
            received += chunk
    return re.sub(rb"date: [^\r]*", b"date: -", received)


def request(path: str, method: str = "POST", version: str = "1.1", *more: str) -> bytes:
    head = [f"{method} {path} HTTP/{version}", "Host: h", "Content-Length: 1", *more]
    return "\r\n".join([*head, "", "x"]).encode()


LAST = request("/good", "POST", "1.1", "Connection: close")


@pytest.mark.parametrize("path", sorted(SCRIPTS.keys() - {"/start-only"}))
def test_every_answer_is_that_of_uvicorn(path: str, ours: str, uvicorns: str) -> None:
    sent = request(path) + LAST
    assert exchanged(ours, sent) == exchanged(uvicorns, sent)


def test_an_answer_without_a_body_does_not_begin(ours: str) -> None:
    """So ASGI wants it; uvicorn sends the head all the same."""
    assert exchanged(ours, request("/start-only") + LAST) == b""


@pytest.mark.parametrize(
    "sent",
    [
        request("/good", "HEAD") + LAST,
        request("/good", "POST", "1.0"),
        request("/good", "POST", "1.0", "Connection: keep-alive"),
        request("/good", "POST", "1.1", "Expect: 100-continue") + LAST,
        request("/good") * 3 + LAST,
    ],
)
def test_every_kind_of_request_is_answered_as_by_uvicorn(sent: bytes, ours: str, uvicorns: str) -> None:
    received = exchanged(ours, sent)
    assert received.count(b"HTTP/1.1 200 OK") == sent.count(b"HTTP/1.")
    assert received == exchanged(uvicorns, sent)


def test_a_connection_is_closed_once_nobody_used_it_for_a_while() -> None:
    with (
        served(scripted, lifespan="off", timeout_keep_alive=0.4) as url,
        socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), 5) as sender,
    ):
        for _ in range(4):  # longer in all than it may be idle
            sender.sendall(request("/good"))
            assert sender.recv(65536).endswith(b"{}")
            sender.settimeout(0.15)
            with pytest.raises(TimeoutError):
                sender.recv(1)
        sender.settimeout(5)
        assert sender.recv(1) == b""
