"""Wrong requests, byte by byte, to the real server: the right status, JSON, never a 500, and it lives on."""

import gzip
import json
import re
import socket
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from receiver.core.settings import Secret
from receiver.protocol import HEAD_SECONDS, MAX_HEAD
from receiver.schemes.segment import sign
from tests.support.processes import until
from tests.support.segment import nested
from tests.support.sender import Sender
from tests.support.stack import SECRET, Stack

pytestmark = pytest.mark.e2e

ROUTES = """
sources:
  shop:
    verify: {scheme: segment, secret_env: SHOP_SECRET}
  open:
    verify: {scheme: none}
routes:
  all:
    steps: [{handler: tests.support.noting:note}]
"""
TRACK = b'{"type":"track","event":"Tried","userId":"u","messageId":"m-1"}'
WAIT_SECONDS = 10.0
HUGE = 100_000_000


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A receiver without workers."""
    with Stack(tmp_path_factory.mktemp("wrong"), ROUTES, workers=None) as running:
        yield running


@pytest.fixture(autouse=True)
def _lives_on(stack: Stack) -> Iterator[None]:
    """After each test: the same process answers, and nothing unexpected is in its log."""
    pid = stack.receiver.pid
    yield
    with Sender(f"{stack.url}/hooks/shop", SECRET) as sender:
        assert sender.send(TRACK).status == 200
    assert stack.receiver.pid == pid
    log = stack.receiver.log.read_text()
    assert "Traceback" not in log, log[-3000:]
    assert '"status": 500' not in log


@dataclass(frozen=True)
class Reply:
    """One answer as it came over the wire."""

    status: int
    head: bytes
    body: bytes

    @property
    def code(self) -> str:
        """Of an error, which must have the one JSON shape."""
        assert b"content-type: application/json" in self.head.lower()
        said = json.loads(self.body)
        assert said["success"] is False
        assert said["message"]
        return str(said["code"])


def request(
    body: bytes = TRACK,
    *more: bytes,
    line: bytes = b"POST /hooks/shop HTTP/1.1",
    length: bytes | None = None,
    signature: str | None = None,
) -> bytes:
    """A signed request; `more` are further header lines, `length` another Content-Length (empty: none)."""
    length = str(len(body)).encode() if length is None else length
    headers = [line, b"Host: here", b"X-Signature: " + (signature or sign(body, Secret(SECRET))).encode()]
    headers += [b"Content-Length: " + length] if length else []
    return b"\r\n".join([*headers, *more, b"", body])


class Wire:
    """A connection to the server."""

    def __init__(self, stack: Stack) -> None:
        self.socket = socket.create_connection(("127.0.0.1", stack.port), timeout=WAIT_SECONDS)
        self._left = b""

    def send(self, data: bytes) -> "Wire":
        self.socket.sendall(data)
        return self

    def reply(self) -> Reply:
        """The next answer. AssertionError when the connection ends without one."""
        while b"\r\n\r\n" not in self._left:
            self._more()
        head, _, self._left = self._left.partition(b"\r\n\r\n")
        found = re.search(rb"content-length: (\d+)", head.lower())
        assert found is not None, head
        while len(self._left) < int(found[1]):
            self._more()
        body, self._left = self._left[: int(found[1])], self._left[int(found[1]) :]
        return Reply(int(head.split()[1]), head, body)

    def ended(self) -> bool:
        """Whether the server closes the connection and says nothing more."""
        return self._left == b"" and self.socket.recv(1) == b""

    def _more(self) -> None:
        data = self.socket.recv(65_536)
        assert data, f"closed after {self._left!r}"
        self._left += data

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def ask(stack: Stack, data: bytes) -> Reply:
    """One request, one answer."""
    with Wire(stack) as wire:
        return wire.send(data).reply()


BODIES = {
    "nothing": (b"", "malformed_json"),
    "cut off": (TRACK[:-1], "malformed_json"),
    "no JSON": (b"type=track", "malformed_json"),
    "not UTF-8": (b'{"type":"\xff"}', "malformed_json"),
    "a number": (b"1", "not_a_message"),
    "a string": (b'"track"', "not_a_message"),
    "null": (b"null", "not_a_message"),
    "1,100 levels": (nested(1_100), "too_deep"),
    "a million brackets": (b"[" * 1_000_000, "malformed_json"),
    "a million braces": (b'{"a":' * 1_000_000, "malformed_json"),
}


@pytest.mark.parametrize(("body", "code"), BODIES.values(), ids=list(BODIES))
def test_a_body_that_is_no_message(stack: Stack, body: bytes, code: str) -> None:
    reply = ask(stack, request(body))
    assert (reply.status, reply.code) == (400, code)


TAKEN = {
    "a lone surrogate": b'{"type":"track","event":"\\ud83d","messageId":"t-1"}',
    "1e400": b'{"type":"track","event":"E","messageId":"t-2","properties":{"n":1e400}}',
    "an integer of 400 digits": b'{"type":"track","event":"E","messageId":"t-3","properties":{"n":'
    + b"9" * 400
    + b"}}",
    "a key twice": b'{"type":"track","type":"identify","messageId":"t-4"}',
    "an empty array": b"[]",
    "null elements": b"[null," + TRACK + b",null,7]",
    "an object that is none of Segment's": b'{"hello":"world"}',
    "an empty object": b"{}",
}


@pytest.mark.parametrize("body", TAKEN.values(), ids=list(TAKEN))
def test_odd_bodies_that_senders_do_send_are_taken(stack: Stack, body: bytes) -> None:
    assert ask(stack, request(body)).body == b'{"success":true}'


SIGNATURES = {
    "none": None,
    "empty": "",
    "too short": "abc",
    "no hex": "z" * 40,
    "of another body": sign(b"other", Secret(SECRET)),
    "by another secret": sign(TRACK, Secret("another")),
    "one bit flipped": hex(int(sign(TRACK, Secret(SECRET)), 16) ^ 1)[2:].zfill(40),
    "100 kB": "a" * 50_000,
}


@pytest.mark.parametrize("signature", SIGNATURES.values(), ids=list(SIGNATURES))
def test_a_signature_that_is_not_right(stack: Stack, signature: str | None) -> None:
    data = request(signature=signature or "x")
    if not signature:
        data = data.replace(b"X-Signature: x\r\n", b"" if signature is None else b"X-Signature: \r\n")
    reply = ask(stack, data)
    assert (reply.status, reply.code.partition("_")[0]) == (401, "signature")


def test_a_signature_of_bytes_that_are_no_text(stack: Stack) -> None:
    reply = ask(stack, request().replace(b"X-Signature: ", b"X-Signature: \xff\xfe"))
    assert reply.status == 401


PATHS = {
    b"/hooks/shop/": 200,
    b"/hooks/shop?a=1#b": 200,
    b"/hooks/%73hop": 200,
    b"http://elsewhere/hooks/shop": 200,
    b"/hooks//shop/": 200,
    b"/hooks/shop//": 200,
    b"/hooks": 404,
    b"/hooks/": 404,
    b"/hooks/nobody": 404,
    b"/hooks/SHOP": 404,
    b"/hooks/shop%00": 404,
    b"/hooks/shop%ff": 404,
    b"/hooks/shop/../open": 404,
    b"/hooks/%2e%2e/livez": 404,
    b"/hooks/..%2fhooks%2fshop": 404,
    b"/../../etc/passwd": 404,
    b"/hooks/" + b"x" * 30_000: 404,
    b"*": 404,
}


@pytest.mark.parametrize(("path", "status"), PATHS.items(), ids=[path[:30].decode() for path in PATHS])
def test_a_path_that_is_odd(stack: Stack, path: bytes, status: int) -> None:
    """Never a redirect: the sender would lose its body."""
    reply = ask(stack, request(line=b"POST " + path + b" HTTP/1.1"))
    assert reply.status == status
    if status != 200:
        assert reply.code in ("unknown_source", "not_found")


@pytest.mark.parametrize("method", [b"GET", b"DELETE", b"OPTIONS", b"TRACE", b"PROPFIND", b"PURGE"])
def test_a_method_that_stores_nothing(stack: Stack, method: bytes) -> None:
    reply = ask(stack, request(line=method + b" /hooks/shop HTTP/1.1"))
    assert (reply.status, reply.code) == (400, "wrong_method")


NO_HTTP = {
    "a space before the colon": request(TRACK, b"X : y"),
    "a line end in a header": request(TRACK, b"X: a\rb"),
    "a NUL in a header": request(TRACK, b"X: a\0b"),
    "a NUL in the path": request(line=b"POST /hooks/shop\0 HTTP/1.1"),
    "a space in the path": request(line=b"POST /hooks/shop /x HTTP/1.1"),
    "a method nobody knows": request(line=b"SHOUT /hooks/shop HTTP/1.1"),
    "HTTP/9.9": request(line=b"POST /hooks/shop HTTP/9.9"),
    "HTTP/2 at once": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200,
    "noise": bytes(range(256)) * 4,
    "a length that is no number": request(length=b"ten"),
    "a negative length": request(length=b"-1"),
    "a length beyond all bounds": request(length=b"9" * 30),
    "two lengths": request(TRACK, b"Content-Length: 3"),
    "length and chunks": request(TRACK, b"Transfer-Encoding: chunked"),
    "chunks of no size": request(b"zz\r\n\r\n", b"Transfer-Encoding: chunked", length=b""),
    "a chunk with more than it says": request(
        b"2\r\nabc\r\n0\r\n\r\n", b"Transfer-Encoding: chunked", length=b""
    ),
    "a head without end": b"POST /hooks/shop HTTP/1.1\r\nX: " + b"x" * (2 * MAX_HEAD),
    "headers without end": b"POST /hooks/shop HTTP/1.1\r\n" + b"X: y\r\n" * MAX_HEAD,
}


@pytest.mark.parametrize("data", NO_HTTP.values(), ids=list(NO_HTTP))
def test_what_is_no_http(stack: Stack, data: bytes) -> None:
    with Wire(stack) as wire:
        reply = wire.send(data).reply()
        assert reply.status in (400, 413)
        assert reply.code


def test_a_length_shorter_than_the_body(stack: Stack) -> None:
    """What is left is no request, and the connection ends there."""
    before = stack.store.last_number()
    with Wire(stack) as wire:
        wire.send(request(length=str(len(TRACK) - 5).encode()))
        assert (wire.reply().status, wire.ended()) == (400, True)
    assert stack.store.last_number() == before


LEAVING = {
    "in its body": request()[:-5],
    "before its body is whole": request(length=b"5000"),
    "in its head": request()[:60],
    "after a letter": b"P",
    "at once": b"",
}


@pytest.mark.parametrize("data", LEAVING.values(), ids=list(LEAVING))
def test_a_sender_that_leaves_in_the_middle(stack: Stack, data: bytes) -> None:
    before = stack.store.last_number()
    with Wire(stack) as wire:
        wire.send(data)
        wire.socket.shutdown(socket.SHUT_WR)
        assert wire.ended()
    assert stack.store.last_number() == before


def test_100_mb_announced_are_refused_before_they_are_sent(stack: Stack) -> None:
    with Wire(stack) as wire:
        head = request(length=str(HUGE).encode(), line=b"POST /hooks/shop HTTP/1.1")[: -len(TRACK)]
        assert (wire.send(head).reply().code) == "body_too_large"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb(stack: Stack, encoding: str) -> None:
    """100 MB of zeros, in some 100 kB."""
    packer = zlib.compressobj(1, wbits=zlib.MAX_WBITS | (16 if encoding == "gzip" else 0))
    bomb = b"".join(packer.compress(b"0" * 1_000_000) for _ in range(100)) + packer.flush()
    reply = ask(stack, request(bomb, b"Content-Encoding: " + encoding.encode()))
    assert (reply.status, reply.code) == (413, "body_too_large")


ZIPPED = gzip.compress(TRACK, mtime=0)
NO_GZIP = {"no gzip at all": b"no gzip", "cut off": ZIPPED[:-4], "more than it says": ZIPPED + b"more"}


@pytest.mark.parametrize("body", NO_GZIP.values(), ids=list(NO_GZIP))
def test_gzip_that_is_broken(stack: Stack, body: bytes) -> None:
    reply = ask(stack, request(body, b"Content-Encoding: gzip"))
    assert (reply.status, reply.code) == (400, "bad_encoding")


def test_an_encoding_nobody_asked_for(stack: Stack) -> None:
    assert ask(stack, request(TRACK, b"Content-Encoding: br")).status == 415


def test_http_1_0(stack: Stack) -> None:
    with Wire(stack) as wire:
        assert wire.send(request(line=b"POST /hooks/shop HTTP/1.0")).reply().status == 200
        assert wire.ended()


def test_several_requests_at_once_are_answered_in_order(stack: Stack) -> None:
    with Wire(stack) as wire:
        wire.send(
            request()
            + request(line=b"POST /hooks/nobody HTTP/1.1")
            + request(line=b"PUT /hooks/shop HTTP/1.1")
        )
        assert [wire.reply().status for _ in range(3)] == [200, 404, 200]


def test_a_body_byte_by_byte_and_in_chunks(stack: Stack) -> None:
    with Wire(stack) as wire:
        for byte in request():
            wire.send(bytes([byte]))
        assert wire.reply().status == 200
        chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in TRACK) + b"0\r\n\r\n"
        data = request(
            chunks, b"Transfer-Encoding: chunked", length=b"", signature=sign(TRACK, Secret(SECRET))
        )
        assert wire.send(data).reply().status == 200


def test_expect_continue(stack: Stack) -> None:
    with Wire(stack) as wire:
        head, body = request(TRACK, b"Expect: 100-continue").split(b"\r\n\r\n")
        wire.send(head + b"\r\n\r\n")
        assert wire.socket.recv(100).startswith(b"HTTP/1.1 100")
        assert wire.send(body).reply().status == 200


def test_heads_that_never_end_cost_the_others_nothing_and_are_cut_off(stack: Stack) -> None:
    slow = [Wire(stack) for _ in range(200)]
    for number, wire in enumerate(slow):
        wire.send(b"POST /hooks/shop HTTP/1.1\r\nX: "[: number % 30])
    with Sender(f"{stack.url}/hooks/shop", SECRET) as sender:
        assert sender.send(TRACK).status == 200
    for number, wire in enumerate(slow):
        wire.socket.settimeout(HEAD_SECONDS + WAIT_SECONDS)
        if number % 30:
            assert (wire.reply().code, wire.ended()) == ("head_timeout", True)
        else:
            assert wire.ended()
        wire.socket.close()


def test_a_reset_in_the_middle(stack: Stack) -> None:
    for _ in range(20):
        with Wire(stack) as wire:
            wire.send(request(length=b"5000"))
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    until(stack.ready, what="a ready receiver")
