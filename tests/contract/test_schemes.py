"""What every signature scheme owes: one suite over all of SCHEMES, with vectors made by Node as judge."""

import contextlib
from typing import get_args, get_type_hints

import pytest

from receiver.core.errors import SignatureError
from receiver.core.routes import Verify
from receiver.core.settings import Secret
from receiver.schemes import SCHEMES
from receiver.schemes.base import Coverage, Scheme, Unverified, Verified
from receiver.schemes.segment import sign
from receiver.split import split
from tests.support.segment import batch, envelope, line, wrapped
from tests.support.sender import signed

SECRET = Secret("shared-secret-for-tests")
OTHER = Secret("another")
VECTORS = [
    (2, "d62c9845c4e2b75eb2edec184552aa92255f8fe9", Coverage.ALL),
    (9, "4ae013f06754a4f7623f269da729cd4a14afa85f", Coverage.ALL),
    (29, "50e18b63279984b71408b21d4971521593fb0760", Coverage.ALL),
    (36, "90d8ef2c1becc347efb412a21b10ac7e4a1e794b", Coverage.ALL),
    (37, "3065361fb2345e1a5ad365bcad1d95509864f510", Coverage.ALL),
    (37, "d62c9845c4e2b75eb2edec184552aa92255f8fe9", Coverage.FIRST),
    (38, "a3d37064116f6fc3742b8a7b10e332eccb03bf42", Coverage.ALL),
    (38, "807672e3ebb757f8697c28190cacf5403b6aa145", Coverage.FIRST),
]
"""Line of messages.jsonl, X-Signature, what it covers: the test vectors of Segment's own implementation."""

SHAPES = {"object": line(2), "batch": line(37), "wrapped": line(38), "envelope": envelope(line(2), line(9))}


def request(body: bytes, *signatures: str) -> Unverified:
    return Unverified(body=body, headers=[(b"x-signature", value.encode()) for value in signatures])


def verify(request: Unverified, *secrets: Secret) -> Verified:
    return SCHEMES["segment"](request, secrets)


def test_the_registry_holds_what_routes_yaml_may_name() -> None:
    assert set(SCHEMES) == set(get_args(get_type_hints(Verify)["scheme"]))


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=list(SCHEMES))
@pytest.mark.parametrize("body", SHAPES.values(), ids=list(SHAPES))
def test_a_signed_body_comes_back_unchanged(scheme: Scheme, body: bytes) -> None:
    verified = scheme(request(body, sign(body, SECRET)), [SECRET])
    assert verified.body is body


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=list(SCHEMES))
@pytest.mark.parametrize(
    "body", [b"", b"[", b"{", b"[]", b"\xff", b"[" * 5000, b'{"batch":7}', b'[{"json":}]']
)
@pytest.mark.parametrize("signatures", [(), ("",), ("é" * 40,), ("0" * 40,), ("0" * 40, "0" * 40)])
def test_nothing_but_a_signature_error_comes_out(
    scheme: Scheme, body: bytes, signatures: tuple[str, ...]
) -> None:
    with contextlib.suppress(SignatureError):
        assert scheme(request(body, *signatures), [SECRET]).body is body


@pytest.mark.parametrize(("number", "signature", "coverage"), VECTORS)
def test_the_vectors_of_segment(number: int, signature: str, coverage: Coverage) -> None:
    body = line(number)
    assert verify(request(body, signature), SECRET) == Verified(body=body, coverage=coverage)
    assert verify(request(body, signature.upper()), OTHER, SECRET).coverage is coverage
    with pytest.raises(SignatureError):
        verify(request(body, signature), OTHER)


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
    assert verify(request(body, sign(over, SECRET)), SECRET).coverage is Coverage.FIRST


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
        verify(request(body, sign(over, SECRET)), SECRET)
    assert caught.value.code == "signature_mismatch"


def test_two_signatures_are_none() -> None:
    body = line(2)
    right = sign(body, SECRET)
    with pytest.raises(SignatureError) as caught:
        verify(request(body, right, right), SECRET)
    assert caught.value.code == "signature_malformed"


def test_the_header_is_found_among_others_and_white_space_does_not_matter() -> None:
    headers = [(name.encode(), value.encode()) for name, value in signed(line(2), SECRET.reveal()).items()]
    assert verify(Unverified(body=line(2), headers=headers), SECRET)
    assert verify(request(line(2), f" {sign(line(2), SECRET)} "), SECRET)


def test_the_type_checker_refuses_what_nobody_verified() -> None:
    """mypy runs over the tests: it would call these comments unused if it let the calls through."""
    with pytest.raises(AttributeError):
        split(request(b"{}"), 1000)  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        split(b"{}", 1000)  # type: ignore[arg-type]


def test_coverage() -> None:
    assert [Coverage.ALL.includes(index) for index in (0, 1)] == [True, True]
    assert [Coverage.FIRST.includes(index) for index in (0, 1)] == [True, False]
    assert [Coverage.NONE.includes(index) for index in (0, 1)] == [False, False]
