"""Over real sockets under uvicorn: what only the wire shows. No Redis: the committer is a double."""

import http.client
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from receiver.core.clock import SYSTEM, pause
from tests.support.http_side import SECRET, HttpSide, served
from tests.support.segment import line
from tests.support.sender import Sender

TRACK = line(2)
MEGABYTE = bytes(1_000_000)


@pytest.fixture
def side() -> HttpSide:
    return HttpSide()


@pytest.fixture
def base(side: HttpSide) -> Iterator[str]:
    with served(side.app) as url:
        yield url


@pytest.fixture
def sender(base: str) -> Iterator[Sender]:
    with Sender(f"{base}/hooks/shop", SECRET) as sender:
        yield sender


def test_deliveries_over_one_connection(sender: Sender, side: HttpSide) -> None:
    assert sender.send(TRACK).body == b'{"success":true}'
    assert sender.send(TRACK, method="PATCH", path="/hooks/shop/").status == 200
    assert sender.send(TRACK, path="/hooks/shop%2Fcrm").status == 200
    assert sender.send(b"", method="HEAD").status == 400
    assert side.recorder.bodies == [TRACK, TRACK, TRACK]


def test_100_mb_end_in_a_413_and_the_connection_goes_on(sender: Sender, side: HttpSide) -> None:
    answer = sender.send(MEGABYTE * 100)
    assert (answer.status, answer.code) == (413, "body_too_large")
    assert sender.send(TRACK).status == 200


def test_100_mb_in_chunks_end_in_a_413_and_the_connection_goes_on(sender: Sender) -> None:
    answer = sender.send(MEGABYTE for _ in range(100))
    assert (answer.status, answer.code) == (413, "body_too_large")
    assert sender.send(TRACK).status == 200


@pytest.mark.parametrize(("path", "status"), [("/hooks/shop", 413), ("/hooks/nobody", 404)])
def test_a_sender_that_closes_the_connection_can_read_why_too(base: str, path: str, status: int) -> None:
    """urllib says `Connection: close`, sends everything, and only then reads."""
    opener = urllib.request.build_opener()
    with pytest.raises(urllib.error.HTTPError) as caught:
        opener.open(base + path, MEGABYTE * 100, timeout=30)
    with caught.value as answer:
        assert answer.status == status
        assert b'"success": false' in answer.read()


def test_who_asks_first_is_told_at_once(base: str) -> None:
    """`Expect: 100-continue` (curl, for large bodies): the body is never sent."""
    with _connected(base) as wire:
        wire.sendall(
            b"POST /hooks/shop HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            b"Expect: 100-continue\r\nContent-Length: 100000000\r\n\r\n"
        )
        assert _all(wire).startswith(b"HTTP/1.1 413 ")


def test_a_sender_that_leaves_in_the_middle_is_no_error(
    base: str, side: HttpSide, caplog: pytest.LogCaptureFixture
) -> None:
    with _connected(base) as wire:
        wire.sendall(b"POST /hooks/open HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    deadline = SYSTEM.monotonic() + 5
    while not side.counted('hookyard_requests_total{code="client_gone",endpoint="hooks"}'):
        assert SYSTEM.monotonic() < deadline
        pause(0.005)
    assert [record.message for record in caplog.records if record.levelno >= 40] == []
    assert side.counted("hookyard_requests_in_progress") == 0


def test_the_store_is_open_while_the_server_runs(side: HttpSide) -> None:
    with served(side.app) as base:
        assert side.events == ["opened"]
        connection = http.client.HTTPConnection(urlsplit(base).netloc)
        connection.request("GET", "/livez")
        assert connection.getresponse().status == 200
        connection.close()
    assert side.events == ["opened", "closed"]


def _connected(base: str) -> socket.socket:
    parts = urlsplit(base)
    return socket.create_connection((parts.hostname, parts.port), timeout=10)


def _all(wire: socket.socket) -> bytes:
    received = b""
    while part := wire.recv(65536):
        received += part
    return received
