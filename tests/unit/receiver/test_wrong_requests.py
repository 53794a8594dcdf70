"""Every wrong request gets its own clear answer, stores nothing it should not, and is never a 500."""

import gzip
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from receiver.core.errors import Overloaded, StoreFull, StoreUnavailable
from tests.support.http_side import SECRET, HttpSide
from tests.support.segment import line, nested
from tests.support.sender import signed

TRACK = line(2)
BOMB = gzip.compress(b'{"type":"track","event":"' + b"a" * 100_000_000 + b'"}', 1)
BITS = signed(TRACK, SECRET)["x-signature"]


@dataclass(frozen=True)
class Wrong:
    """A request and the answer it must get."""

    status: int
    code: str
    says: str
    body: bytes | Sequence[bytes] = TRACK
    headers: Mapping[str, str] | None = None
    path: str = "/hooks/shop"
    method: str = "POST"
    more: Mapping[str, str] = field(default_factory=dict)
    """Headers beside the right signature."""


WRONG = {
    "an old message": Wrong(400, "message_too_old", "younger than 5m", headers={}, path="/hooks/young"),
    "no signature": Wrong(401, "signature_missing", "no X-Signature", headers={}),
    "another secret": Wrong(401, "signature_mismatch", "shared secret", headers=signed(TRACK, "another")),
    "a flipped bit of the body": Wrong(
        401,
        "signature_mismatch",
        "does not match",
        bytes([*TRACK[:-2], TRACK[-2] ^ 1, TRACK[-1]]),
        signed(TRACK, SECRET),
    ),
    "a flipped digit of the signature": Wrong(
        401,
        "signature_mismatch",
        "does not match",
        headers={"x-signature": f"{int(BITS[0], 16) ^ 1:x}{BITS[1:]}"},
    ),
    "a short signature": Wrong(
        401, "signature_malformed", "40 hex digits", headers={"x-signature": BITS[:-1]}
    ),
    "a signature that is not hex": Wrong(
        401, "signature_malformed", "40 hex digits", headers={"x-signature": "z" * 40}
    ),
    "an empty signature": Wrong(401, "signature_malformed", "40 hex digits", headers={"x-signature": ""}),
    "a signature with a prefix": Wrong(
        401, "signature_malformed", "40 hex digits", headers={"x-signature": "sha1=" + BITS}
    ),
    "a signature of another item": Wrong(
        401,
        "signature_mismatch",
        "does not match",
        b"[" + line(9) + b"," + TRACK + b"]",
        signed(TRACK, SECRET),
    ),
    "unsigned neighbours of a wrapped item": Wrong(
        401,
        "signature_mismatch",
        "does not match",
        b'[{"json":' + TRACK + b',"type":"track"}]',
        signed(TRACK, SECRET),
    ),
    "an unknown source": Wrong(404, "unknown_source", "routes.yaml", path="/hooks/shops"),
    "no source": Wrong(404, "unknown_source", "routes.yaml", path="/hooks/"),
    "a source in other letters": Wrong(404, "unknown_source", "routes.yaml", path="/hooks/Shop"),
    "no page": Wrong(404, "not_found", "Not Found", path="/hook"),
    "GET": Wrong(400, "wrong_method", "by POST, PUT or PATCH", b"", method="GET"),
    "DELETE": Wrong(400, "wrong_method", "stores nothing", method="DELETE"),
    "OPTIONS": Wrong(400, "wrong_method", "stores nothing", method="OPTIONS"),
    "GET of an unknown source": Wrong(
        404, "unknown_source", "routes.yaml", b"", method="GET", path="/hooks/x"
    ),
    "an empty body": Wrong(400, "malformed_json", "is empty", b""),
    "only white space": Wrong(400, "malformed_json", "is empty", b" \r\n\t"),
    "truncated JSON": Wrong(400, "malformed_json", "not valid JSON", TRACK[:-1]),
    "a truncated batch": Wrong(400, "malformed_json", "not valid JSON", b"[" + TRACK + b","),
    "a truncated escape": Wrong(400, "malformed_json", "not valid JSON", rb'{"type":"\ud8"}'),
    "trailing garbage": Wrong(400, "malformed_json", "Extra data", TRACK + b"x"),
    "two objects": Wrong(400, "malformed_json", "Extra data", TRACK + TRACK),
    "a trailing comma": Wrong(400, "malformed_json", "not valid JSON", b"[" + TRACK + b",]"),
    "NaN": Wrong(400, "malformed_json", "NaN is not a JSON value", b'{"type":"track","a":NaN}'),
    "Infinity": Wrong(400, "malformed_json", "-Infinity is not", b'[{"a":-Infinity}]'),
    "NaN alone": Wrong(400, "malformed_json", "NaN is not a JSON value", b"NaN"),
    "a control character": Wrong(400, "malformed_json", "control character", b'{"type":"a\x01"}'),
    "a byte order mark": Wrong(400, "malformed_json", "not valid JSON", b"\xef\xbb\xbf" + TRACK),
    "not UTF-8": Wrong(400, "malformed_json", "not UTF-8", b'{"type":"track","event":"\xff"}'),
    "not UTF-8 in a name": Wrong(400, "malformed_json", "not UTF-8", b'{"type":"track","\xff":1}'),
    "a surrogate in UTF-8": Wrong(400, "malformed_json", "not UTF-8", b'[{"a":"\xed\xa0\xbd"}]'),
    "UTF-16": Wrong(400, "malformed_json", "not valid JSON", '{"type":"track"}'.encode("utf-16-le")),
    "a form": Wrong(400, "malformed_json", "not valid JSON", b"type=track&event=Order+Completed"),
    "a number": Wrong(400, "not_a_message", "neither an object nor an array", b"17"),
    "a string": Wrong(400, "not_a_message", "neither an object nor an array", b' "track" '),
    "null": Wrong(400, "not_a_message", "neither an object nor an array", b"null"),
    "1,100 levels": Wrong(400, "too_deep", "500 levels", nested(1100)),
    "501 levels": Wrong(400, "too_deep", "500 levels", nested(501)),
    "100,000 open brackets": Wrong(400, "malformed_json", "Unterminated", b"[" * 100_000),
    "a large message": Wrong(
        413,
        "message_too_large",
        "HOOKYARD_MAX_MESSAGE",
        b'{"type":"track","event":"' + b"a" * 512_000 + b'"}',
    ),
    "10,001 messages": Wrong(413, "too_many_messages", "10000", b"[" + b"{}," * 10_000 + b"{}]"),
    "100 MB": Wrong(413, "body_too_large", "HOOKYARD_MAX_BODY", [b"x" * 1_000_000] * 100, headers={}),
    "a length of 100 MB": Wrong(
        413, "body_too_large", "HOOKYARD_MAX_BODY", more={"content-length": "100000000"}
    ),
    "a gzip bomb": Wrong(413, "body_too_large", "decompressed", BOMB, more={"content-encoding": "gzip"}),
    "a truncated gzip": Wrong(
        400, "bad_encoding", "ends too early", gzip.compress(TRACK)[:-9], more={"content-encoding": "gzip"}
    ),
    "a gzip that is none": Wrong(400, "bad_encoding", "incorrect header", more={"content-encoding": "gzip"}),
    "garbage after a gzip": Wrong(
        400,
        "bad_encoding",
        "data after its end",
        gzip.compress(TRACK) + b"x",
        more={"content-encoding": "gzip"},
    ),
    "a wrong checksum": Wrong(
        400,
        "bad_encoding",
        "incorrect data check",
        gzip.compress(TRACK)[:-8] + bytes(8),
        more={"content-encoding": "gzip"},
    ),
    "a truncated deflate": Wrong(
        400, "bad_encoding", "ends too early", zlib.compress(TRACK)[:-9], more={"content-encoding": "deflate"}
    ),
    "an unknown encoding": Wrong(415, "unsupported_encoding", "'br'", more={"content-encoding": "br"}),
    "two encodings": Wrong(415, "unsupported_encoding", "use gzip", more={"content-encoding": "gzip, gzip"}),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=list(WRONG))
def test_a_wrong_request_gets_a_clear_answer(wrong: Wrong) -> None:
    side = HttpSide()
    body = wrong.body if isinstance(wrong.body, bytes) else b""
    headers = signed(body, SECRET) | dict(wrong.more) if wrong.headers is None else wrong.headers
    answer = side.send(wrong.body, path=wrong.path, method=wrong.method, headers=headers)
    assert (answer.status, answer.code) == (wrong.status, wrong.code)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json().keys() == {"success", "code", "message"}
    assert answer.json()["success"] is False
    assert wrong.says in answer.json()["message"]
    assert side.recorder.messages == []


def test_every_refusal_is_counted_by_its_code() -> None:
    side = HttpSide()
    side.send(TRACK, headers={})
    side.send(b"{")
    assert side.counted('hookyard_requests_total{code="signature_missing",endpoint="hooks"}') == 1
    assert side.counted('hookyard_requests_total{code="malformed_json",endpoint="hooks"}') == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StoreUnavailable("Redis does not answer", retry_after=2), "store_unavailable"),
        (StoreFull("Redis is at 90 % of its memory", retry_after=2), "store_full"),
        (Overloaded("more messages wait than may", retry_after=2), "overloaded"),
    ],
)
def test_a_store_that_takes_nothing_answers_503_with_retry_after(error: Exception, code: str) -> None:
    side = HttpSide()
    side.recorder.error = error
    answer = side.send(TRACK)
    assert (answer.status, answer.code) == (503, code)
    assert answer.headers["retry-after"] == "2"
    assert side.recorder.messages == []


def test_a_bug_answers_500_in_the_same_shape_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    side = HttpSide()
    side.recorder.error = RuntimeError("a secret detail")
    answer = side.send(TRACK)
    assert (answer.status, answer.code) == (500, "internal_error")
    assert b"secret detail" not in answer.body
    assert "a secret detail" in caplog.text
    assert side.counted('hookyard_requests_total{code="internal_error",endpoint="hooks"}') == 1
