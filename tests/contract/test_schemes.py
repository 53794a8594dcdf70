"""What every scheme owes, over vectors made by others: one suite over all of SCHEMES."""

import base64
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from standardwebhooks import Webhook

from receiver.core import verify_options
from receiver.core.errors import SignatureError
from receiver.core.routes_file import json_schema
from receiver.core.settings import Secret
from receiver.core.verify_options import SchemeName, Verify
from receiver.schemes import SCHEMES
from receiver.schemes.base import Coverage, Unverified
from receiver.schemes.segment import sign
from receiver.schemes.verification import prove, verify
from receiver.split import split
from tests.support.segment import batch, envelope, line, wrapped
from tests.support.vectors import VECTORS, Vector, verify_of

OTHER = "a7" * 24
"""A secret that fits every scheme, and is none of the vectors'."""
PROVEN = [vector for vector in VECTORS if vector.headers]
SIGNED = [vector for vector in PROVEN if vector.coverage is not Coverage.SENDER]
STAMPED = [vector for vector in PROVEN if any(b"time" in name for name, _ in vector.headers)]
CODES = {
    "signature_missing",
    "signature_malformed",
    "signature_mismatch",
    "signature_stale",
    "signature_partial",
}

every = pytest.mark.parametrize("vector", VECTORS, ids=str)
every_proven = pytest.mark.parametrize("vector", PROVEN, ids=str)


def rotated(vector: Vector) -> dict[str, Any]:
    """The vector's secrets behind newer ones."""
    return {key: ["NEW", name] for key, name in vector.keys.items() if key.endswith("_env")}


def refusal(vector: Vector, request: Unverified, options: Verify | None = None) -> str:
    """The code of the refusal."""
    with pytest.raises(SignatureError) as caught:
        verify(request, [options or vector.options()])
    assert caught.value.code in CODES
    assert caught.value.message
    return caught.value.code


def wrong_headers(vector: Vector, value: bytes) -> list[list[tuple[bytes, bytes]]]:
    """With another value in place of each header's, one at a time."""
    return [
        [(name, value if at == place else right) for place, (name, right) in enumerate(vector.headers)]
        for at in range(len(vector.headers))
    ]


def test_every_scheme_is_complete() -> None:
    """Its options, its model, its vectors and its place in the documentation."""
    names = set(get_args(SchemeName))
    assert set(SCHEMES) == names
    assert {options.scheme for options in get_args(Verify)} == names
    models = [model for name, model in json_schema()["$defs"].items() if name.startswith("Verify")]
    assert {model["properties"]["scheme"]["const"] for model in models} == names
    assert {vector.scheme for vector in VECTORS} == names
    page = Path("docs/routes.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^### `sources.<name>.verify`, scheme `(.+)`$", page, re.MULTILINE)) == names
    section = page.partition("\n## Who may send\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE)
    assert set(rows) == names


@every
def test_the_right_secret(vector: Vector) -> None:
    verified = verify(vector.request(), [vector.options()])
    assert (verified.body, verified.coverage) == (vector.body, vector.coverage)


@every
def test_a_newer_secret_beside_the_right_one(vector: Vector) -> None:
    options = vector.options({**vector.environ, "NEW": OTHER}, **rotated(vector))
    assert verify(vector.request(), [options]).coverage is vector.coverage


@every_proven
def test_a_wrong_secret(vector: Vector) -> None:
    options = vector.options(dict.fromkeys(vector.environ, OTHER))
    assert refusal(vector, vector.request(), options) == "signature_mismatch"


@every_proven
def test_a_missing_header(vector: Vector) -> None:
    for missing in vector.headers:
        left = [header for header in vector.headers if header != missing]
        assert refusal(vector, vector.request(headers=left)) == "signature_missing"


@every_proven
@pytest.mark.parametrize(
    "value", [b"", b" ", b"x", b"\xff\xfe", "é".encode() * 40, b"=" * 28, b"v1", b"v1,", b"Basic", b"Bearer"]
)
def test_a_malformed_header(vector: Vector, value: bytes) -> None:
    for headers in wrong_headers(vector, value):
        refusal(vector, vector.request(headers=headers))


@every_proven
def test_several_values_of_a_header(vector: Vector) -> None:
    for again in vector.headers:
        request = vector.request(headers=[*vector.headers, again])
        assert refusal(vector, request) == "signature_malformed"


@every_proven
def test_no_flipped_bit_of_a_header_passes(vector: Vector) -> None:
    """But for the case of letters where it does not matter, in hex digits and the word before a token."""
    for at, (_, right) in enumerate(vector.headers):
        for place in range(len(right) * 8):
            value = bytearray(right)
            value[place // 8] ^= 1 << (place % 8)
            caseless = value.lower() == right.lower() and _may_change_case(vector, right, place // 8)
            if not caseless and not _is_elsewhere(right, place // 8):
                refusal(vector, vector.request(headers=wrong_headers(vector, bytes(value))[at]))


def _may_change_case(vector: Vector, value: bytes, at: int) -> bool:
    if vector.scheme in ("basic", "bearer"):
        return at < value.index(b" ")
    return vector.scheme == "segment" or re.fullmatch(rb"(sha256=)?[0-9a-f]{40,}", value) is not None


def _is_elsewhere(value: bytes, at: int) -> bool:
    """In a signature beside the right one, which may well be wrong."""
    return value.count(b" v1") > 1 and at < value.rindex(b"v1,")


@pytest.mark.parametrize("vector", SIGNED, ids=str)
def test_no_flipped_bit_of_the_body_passes(vector: Vector) -> None:
    """Each 37th, which meets every bit of a byte and takes little time."""
    signed = len(vector.body) if vector.coverage is Coverage.ALL else vector.body.index(b"}")
    for place in range(8 * 12, signed * 8, 37):
        body = bytearray(vector.body)
        body[place // 8] ^= 1 << (place % 8)
        assert refusal(vector, vector.request(body=bytes(body))) == "signature_mismatch"


@pytest.mark.parametrize("vector", STAMPED, ids=str)
def test_what_was_signed_long_ago_or_is_yet_to_be(vector: Vector) -> None:
    stamp = int(next(value for name, value in vector.headers if b"time" in name))
    sent_ms = stamp if stamp > 10**11 else stamp * 1000
    tolerated_ms = {"10s": 10_000, "1m": 60_000}.get(vector.keys.get("tolerance", ""), 300_000)
    for sign_of in (1, -1):
        near = vector.request(at_ms=sent_ms + sign_of * tolerated_ms)
        assert verify(near, [vector.options()]).coverage is vector.coverage
        far = vector.request(at_ms=sent_ms + sign_of * (tolerated_ms + 1))
        assert refusal(vector, far) == "signature_stale"


@every
@pytest.mark.parametrize("body", [b"", b"{}", line(2), line(36), line(37), b"\xff\0"])
def test_what_we_prove_is_verified(vector: Vector, body: bytes) -> None:
    options = [vector.options()]
    given = prove(body, options, 1_718_000_000_123)
    headers = [(name.lower().encode(), value.encode()) for name, value in given.items()]
    request = Unverified(body=body, headers=headers, at_ms=1_718_000_000_999)
    assert verify(request, options).body is body
    assert {name for name, _ in headers} == {name for name, _ in vector.headers}


def test_the_reference_library_of_standard_webhooks_agrees() -> None:
    secret = "whsec_" + base64.b64encode(b"k" * 32).decode()
    options = verify_of({"scheme": "standard-webhooks", "secret_env": "S"}, {"S": secret})
    judge, body = Webhook(secret), '{"type":"track","event":"Ünï"}'
    sent = datetime.fromisoformat("2024-06-10T06:13:20")
    headers = [
        (b"webhook-id", b"msg_1"),
        (b"webhook-timestamp", b"1718000000"),
        (b"webhook-signature", judge.sign("msg_1", sent, body).encode()),
    ]
    request = Unverified(body=body.encode(), headers=headers, at_ms=1_718_000_000_000)
    assert verify(request, options).coverage is Coverage.ALL
    ours = prove(body.encode(), options, 1_718_000_000_000)
    assert ours["Webhook-Signature"] == judge.sign(ours["Webhook-Id"], sent, body)


SEGMENT = verify_of({"scheme": "segment", "secret_env": "S"}, {"S": "shared-secret-for-tests"})
SECRET = Secret("shared-secret-for-tests")


def segment_request(body: bytes, *signatures: str) -> Unverified:
    headers = [(b"x-signature", value.encode()) for value in signatures]
    return Unverified(body=body, headers=headers, at_ms=0)


@pytest.mark.parametrize(
    ("body", "over"),
    [
        (batch(line(2), line(9)), line(2)),
        (b" [ \n" + line(2) + b" , " + line(9) + b"]", line(2)),
        (envelope(line(2), line(9)), line(2)),
        (wrapped(line(2), line(9)), line(2)),
        (wrapped(line(2), line(9)), b'{"json":' + line(2) + b"}"),
        (b'[{ "json" : ' + line(2) + b" }]", line(2)),
        (b'{"batch":' + wrapped(line(2)) + b"}", line(2)),
        (batch(line(36), line(9)), line(36)),
        (wrapped(line(36), line(9)), line(36)),
        (b"[1e400,2]", b"1e400"),
    ],
)
def test_what_is_signed_of_a_batch_is_its_first_message(body: bytes, over: bytes) -> None:
    request = segment_request(body, sign(over, SECRET))
    assert verify(request, SEGMENT).coverage is Coverage.FIRST
    whole = verify_of(
        {"scheme": "segment", "secret_env": "S", "batch": "whole"}, {"S": "shared-secret-for-tests"}
    )
    with pytest.raises(SignatureError, match="only the first message") as caught:
        verify(request, whole)
    assert caught.value.code == "signature_partial"
    assert verify(segment_request(body, sign(body, SECRET)), whole).coverage is Coverage.ALL


@pytest.mark.parametrize(
    ("body", "over"),
    [
        (batch(line(9), line(2)), line(2)),
        (b'{"type":"track","batch":' + batch(line(2)) + b"}", line(2)),
        (b'[{"json":' + line(2) + b',"type":"track"}]', line(2)),
        (b'[{"JSON":' + line(2) + b"}]", line(2)),
        (b'{"json":' + line(2) + b"}", line(2)),
        (line(2) + b" ", line(2)),
    ],
)
def test_no_other_part_of_a_body_makes_it_verified(body: bytes, over: bytes) -> None:
    with pytest.raises(SignatureError) as caught:
        verify(segment_request(body, sign(over, SECRET)), SEGMENT)
    assert caught.value.code == "signature_mismatch"


def test_white_space_around_a_value_and_other_headers_do_not_matter() -> None:
    headers = [(b"host", b"h"), (b"x-signature", f" {sign(line(2), SECRET).upper()} ".encode())]
    assert verify(Unverified(body=line(2), headers=headers, at_ms=0), SEGMENT).coverage is Coverage.ALL


@pytest.mark.parametrize(
    ("names", "coverage"),
    [
        (("segment", "header"), Coverage.FIRST),
        (("header", "segment"), Coverage.FIRST),
        (("segment", "header", "hmac"), Coverage.ALL),
        (("bearer", "header"), Coverage.SENDER),
        (("hmac", "basic"), Coverage.ALL),
    ],
)
def test_of_several_schemes_all_must_pass(names: tuple[str, ...], coverage: Coverage) -> None:
    written: dict[str, dict[str, Any]] = {
        "segment": {},
        "header": {"name": "X-Token"},
        "hmac": {"header": "X-Mac"},
        "bearer": {},
        "basic": {"username_env": "USER"},
    }
    keys = [
        {"scheme": name, **({} if name == "basic" else {"secret_env": name.upper()}), **written[name]}
        for name in names
    ]
    environ = {"USER": "u", **{name.upper(): f"secret of {name}" for name in names}}
    wanted = verify_of(keys, environ)
    headers = [(name.lower().encode(), value.encode()) for name, value in prove(line(37), wanted, 0).items()]
    assert len(headers) == len(names)
    assert verify(Unverified(body=line(37), headers=headers, at_ms=0), wanted).coverage is coverage
    for at in range(len(headers)):
        with pytest.raises(SignatureError):
            verify(Unverified(body=line(37), headers=headers[:at] + headers[at + 1 :], at_ms=0), wanted)


def test_no_secret_shows_in_a_refusal_or_a_record() -> None:
    for vector in PROVEN:
        shown = [repr(vector.options()), json.dumps(list(vector.keys))]
        with pytest.raises(SignatureError) as caught:
            verify(vector.request(headers=[]), [vector.options()])
        assert not [value for value in vector.environ.values() for text in shown if value in text]
        assert not [value for value in vector.environ.values() if value in caught.value.message]


def test_the_key_in_a_secret_of_standard_webhooks() -> None:
    assert verify_options.webhook_key("whsec_QUJD") == b"ABC"
    assert verify_options.webhook_key("QUI=") == verify_options.webhook_key("QUI") == b"AB"
    for wrong in ("", "whsec_", "whsec_*", "whsec_ü", "A"):
        with pytest.raises(ValueError, match=r"base64|empty"):
            verify_options.webhook_key(wrong)


def test_the_type_checker_refuses_what_nobody_verified() -> None:
    """mypy runs over the tests: it would call these comments unused if it let the calls through."""
    with pytest.raises(AttributeError):
        split(segment_request(b"{}"), 1000)  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        split(b"{}", 1000)  # type: ignore[arg-type]


def test_coverage() -> None:
    assert [one.includes(0) for one in Coverage] == [True, True, True, False]
    assert [one.includes(1) for one in Coverage] == [True, False, True, False]
