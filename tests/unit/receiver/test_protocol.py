"""A body that trickles in after its answer does not hold a connection for ever."""

import socket
from urllib.parse import urlsplit

import pytest

from receiver import protocol
from tests.support.http_side import HttpSide, served


@pytest.mark.parametrize("path", ["/nowhere", "/livez"])
def test_a_body_that_never_ends_ends_its_connection(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "BODY_SECONDS", 0.2)
    with (
        served(HttpSide().app) as url,
        socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), 5) as sender,
    ):
        sender.sendall(f"POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nx".encode())
        received = b""
        while chunk := sender.recv(65536):
            received += chunk
    assert received.startswith(b"HTTP/1.1 4")
