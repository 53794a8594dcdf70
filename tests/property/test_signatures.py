"""Signatures under arbitrary bytes: verified or SignatureError, nothing else; and no flipped bit passes."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.core.errors import SignatureError
from receiver.core.settings import Secret
from receiver.schemes import SCHEMES
from receiver.schemes.base import Coverage, Unverified
from receiver.schemes.segment import sign
from tests.support.segment import batch, line

SECRET = Secret("shared-secret-for-tests")
PIECES = [*(bytes([code]) for code in b'[]{},:"\\ 1\xff'), b'"batch":', b'"json":', b'"type":', b"null"]
JSON_LIKE = st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)


@given(
    scheme=st.sampled_from(sorted(SCHEMES)),
    body=st.binary() | JSON_LIKE,
    signatures=st.lists(st.binary() | st.from_regex(rb"[0-9a-f]{40}", fullmatch=True), max_size=2),
)
def test_any_bytes_are_verified_or_a_signature_error(
    scheme: str, body: bytes, signatures: list[bytes]
) -> None:
    request = Unverified(body=body, headers=[(b"x-signature", value) for value in signatures])
    with contextlib.suppress(SignatureError):
        assert SCHEMES[scheme](request, [SECRET]).body == body


@given(body=st.binary() | JSON_LIKE)
def test_what_is_signed_as_a_whole_is_covered_as_a_whole(body: bytes) -> None:
    request = Unverified(body=body, headers=[(b"x-signature", sign(body, SECRET).encode())])
    assert SCHEMES["segment"](request, [Secret("new"), SECRET]).coverage is Coverage.ALL


@given(data=st.data(), number=st.sampled_from([2, 9, 29, 36, 37, 38]))
def test_no_flipped_bit_of_the_body_passes(data: st.DataObject, number: int) -> None:
    body = bytearray(line(number))
    signature = sign(bytes(body), SECRET)
    body[data.draw(st.integers(0, len(body) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(SignatureError):
        SCHEMES["segment"](
            Unverified(body=bytes(body), headers=[(b"x-signature", signature.encode())]), [SECRET]
        )


@given(at=st.integers(0, len(line(2)) - 1), bit=st.integers(0, 7))
def test_no_flipped_bit_of_the_first_message_passes(at: int, bit: int) -> None:
    first = bytearray(line(2))
    first[at] ^= 1 << bit
    body = batch(bytes(first), line(9))
    request = Unverified(body=body, headers=[(b"x-signature", sign(line(2), SECRET).encode())])
    with pytest.raises(SignatureError):
        SCHEMES["segment"](request, [SECRET])


@given(at=st.integers(0, 39), bit=st.integers(0, 3))
def test_no_flipped_bit_of_the_signature_passes(at: int, bit: int) -> None:
    digits = list(sign(line(2), SECRET))
    digits[at] = f"{int(digits[at], 16) ^ (1 << bit):x}"
    request = Unverified(body=line(2), headers=[(b"x-signature", "".join(digits).encode())])
    with pytest.raises(SignatureError):
        SCHEMES["segment"](request, [SECRET])
