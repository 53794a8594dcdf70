"""Signatures under arbitrary bytes: verified or SignatureError, nothing else; and no flipped bit passes."""

import contextlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.core.errors import SignatureError
from receiver.core.settings import Secret
from receiver.core.verify_options import VerifySegment
from receiver.schemes.base import Coverage, Unverified
from receiver.schemes.digests import Keyed
from receiver.schemes.segment import sign
from receiver.schemes.verification import prove, verify
from tests.support.segment import batch, line
from tests.support.vectors import VECTORS, Vector

SECRET = Secret("shared-secret-for-tests")
SEGMENT = [VerifySegment(secrets=(Secret("new"), SECRET))]
OPTIONS = {str(vector): vector.options() for vector in VECTORS}
PIECES = [*(bytes([code]) for code in b'[]{},:"\\ 1\xff'), b'"batch":', b'"json":', b'"type":', b"null"]
JSON_LIKE = st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)
BODIES = st.binary() | JSON_LIKE
VALUES = (
    st.binary()
    | st.from_regex(rb"[0-9a-f]{40}", fullmatch=True)
    | st.from_regex(rb"(Basic|bearer) [a-zA-Z0-9=]*", fullmatch=True)
    | st.from_regex(rb"(v1,[a-zA-Z0-9+/=]{0,44} ?)*", fullmatch=True)
    | st.integers().map(lambda number: str(number).encode())
)


@st.composite
def requests(draw: st.DrawFn, vector: Vector) -> Unverified:
    """With any values in the headers that the scheme looks at, some left out, some there twice."""
    headers = []
    for name, right in vector.headers:
        values = draw(st.lists(VALUES | st.just(right), min_size=0, max_size=2))
        headers += [(name, value) for value in values]
    at_ms = draw(st.integers(0, 2**45) | st.just(vector.at_ms))
    return Unverified(body=draw(BODIES | st.just(vector.body)), headers=headers, at_ms=at_ms)


@given(data=st.data(), vector=st.sampled_from(VECTORS))
def test_any_bytes_are_verified_or_a_signature_error(data: st.DataObject, vector: Vector) -> None:
    request = data.draw(requests(vector))
    with contextlib.suppress(SignatureError):
        assert verify(request, [OPTIONS[str(vector)]]).body == request.body


@given(body=BODIES, vector=st.sampled_from(VECTORS), at_ms=st.integers(0, 2**43))
def test_whatever_the_body_what_we_prove_is_verified(body: bytes, vector: Vector, at_ms: int) -> None:
    wanted = [OPTIONS[str(vector)]]
    headers = [(name.lower().encode(), value.encode()) for name, value in prove(body, wanted, at_ms).items()]
    assert verify(Unverified(body=body, headers=headers, at_ms=at_ms), wanted).body == body


@given(body=BODIES)
def test_what_is_signed_as_a_whole_is_covered_as_a_whole(body: bytes) -> None:
    request = Unverified(body=body, headers=[(b"x-signature", sign(body, SECRET).encode())], at_ms=0)
    assert verify(request, SEGMENT).coverage is Coverage.ALL


@given(data=st.data(), number=st.sampled_from([2, 9, 29, 36, 37, 38]))
def test_no_flipped_bit_of_the_body_passes(data: st.DataObject, number: int) -> None:
    body = bytearray(line(number))
    signature = sign(bytes(body), SECRET)
    body[data.draw(st.integers(0, len(body) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    request = Unverified(body=bytes(body), headers=[(b"x-signature", signature.encode())], at_ms=0)
    with pytest.raises(SignatureError):
        verify(request, SEGMENT)


@given(at=st.integers(0, len(line(2)) - 1), bit=st.integers(0, 7))
def test_no_flipped_bit_of_the_first_message_passes(at: int, bit: int) -> None:
    first = bytearray(line(2))
    first[at] ^= 1 << bit
    body = batch(bytes(first), line(9))
    request = Unverified(body=body, headers=[(b"x-signature", sign(line(2), SECRET).encode())], at_ms=0)
    with pytest.raises(SignatureError):
        verify(request, SEGMENT)


@given(
    key=st.binary() | st.binary(min_size=60, max_size=140),
    algorithm=st.sampled_from(["sha1", "sha256", "sha512"]),
    parts=st.lists(st.binary(), max_size=3),
)
def test_our_hmac_is_the_standard_library_s(key: bytes, algorithm: str, parts: list[bytes]) -> None:
    assert Keyed(key, algorithm).digest(*parts) == hmac.digest(key, b"".join(parts), algorithm)
