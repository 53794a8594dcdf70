"""Requests and answers are the same, byte by byte, as with uvicorn's own protocol; their way is shorter."""

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
    """Reads the request, then sends what its path names; for other paths, what it was given."""
    if scope["path"].startswith("/unread"):
        await send(start())
        await send(body(b"{}"))
        await receive()
        return
    read = b""
    more = True
    while more:
        event = await receive()
        assert isinstance(event["body"], bytes)
        read += event["body"]
        more = event["more_body"]
    if scope["path"] in SCRIPTS:
        for event in SCRIPTS[scope["path"]]:
            await send(event)
        return
    seen = {name: value for name, value in scope.items() if name not in ("client", "server", "state")}
    text = repr((sorted(seen.items()), read)).encode()
    await send(start([(b"content-length", str(len(text)).encode())]))
    await send(body(text))


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


CHUNKED = b"POST /chunks HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKED += b"1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n"
LAST = request("/good", "POST", "1.1", "Connection: close")


@pytest.mark.parametrize("sent", [b"no HTTP\r\n\r\n", request("", "CONNECT")])
def test_what_uvicorn_refuses_is_refused(sent: bytes, ours: str, uvicorns: str) -> None:
    assert b" 400 Bad Request" in exchanged(ours, sent)
    assert b" 400 Bad Request" in exchanged(uvicorns, sent)


def test_a_body_in_pieces_is_put_together(ours: str) -> None:
    head, text = b"POST /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 6\r\n\r\n", b"pieces"
    with socket.create_connection(("127.0.0.1", urlsplit(ours).port or 0), 5) as sender:
        sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(len(text)):
            sender.sendall(head + text[:1] if at == 0 else text[at : at + 1])
        received = b""
        while chunk := sender.recv(65536):
            received += chunk
    assert received.endswith(b"b'pieces')")


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
        request("/unread") + request("/good") + LAST,
        request("/caf%C3%A9/?a=%20b#c") + LAST,
        request("http://other.test/x?y") + LAST,
        request("/x", "PATCH", "1.1", "Upgrade: websocket", "Connection: upgrade, close"),
        request("/x", "GET", "1.0"),
        request("*", "OPTIONS") + LAST,
        CHUNKED + LAST,
        b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n" + b"y" * 300_000 + LAST,
    ],
    ids=range(13),
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
