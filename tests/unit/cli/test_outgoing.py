"""Requests as Segment makes them."""

import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.cli.outgoing import Sender, batch, compact, request
from receiver.cli.transport import CannotSend
from receiver.core.settings import Secret
from receiver.core.verify_options import VerifyHeader, VerifySegment
from tests.support import segment

VERIFY = (VerifySegment(secrets=(Secret("shared-secret-for-tests"), Secret("old"))),)


def hmac_of(body: bytes) -> str:
    return hmac.new(b"shared-secret-for-tests", body, hashlib.sha1).hexdigest()


@pytest.mark.parametrize(
    ("line", "signature"),
    [
        (2, "d62c9845c4e2b75eb2edec184552aa92255f8fe9"),
        (9, "4ae013f06754a4f7623f269da729cd4a14afa85f"),
        (36, "90d8ef2c1becc347efb412a21b10ac7e4a1e794b"),
        (37, "d62c9845c4e2b75eb2edec184552aa92255f8fe9"),
        (38, "807672e3ebb757f8697c28190cacf5403b6aa145"),
    ],
)
def test_signatures_are_those_segment_sends(line: int, signature: str) -> None:
    assert request(segment.line(line), VERIFY).headers["X-Signature"] == signature


def test_no_secret_no_signature() -> None:
    assert "X-Signature" not in request(b"{}", ()).headers


def test_every_scheme_of_the_source_gets_what_it_wants() -> None:
    header = VerifyHeader(name="X-Token", secrets=(Secret("t"), Secret("old")))
    headers = request(b"{}", (*VERIFY, header)).headers
    assert headers["X-Signature"] == hmac_of(b"{}")
    assert headers["X-Token"] == "t"


def test_a_batch_of_no_objects_is_signed_as_a_whole() -> None:
    for body in (b"[]", b"[null]"):
        assert request(body, VERIFY).headers["X-Signature"] == hmac_of(body)


def test_a_batch_says_it_comes_from_the_actions_destination() -> None:
    assert request(b"{}", ()).headers["User-Agent"] == "Segment.io/1.0"
    assert request(batch([b"{}", b"{}"]), ()).headers["User-Agent"] == "Segment (Actions)"


def test_compact_keeps_numbers_and_strings_as_written() -> None:
    written = rb'{ "n" : [1e400, 0.10 ,-0,123456789012345678901234567890 ], "s\"  x" : "\ud83d  \\" }'
    assert compact(written) == rb'{"n":[1e400,0.10,-0,123456789012345678901234567890],"s\"  x":"\ud83d  \\"}'


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_compact_changes_spaces_only(value: object, indent: int | str | None, ascii_only: bool) -> None:
    written = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    plain = json.dumps(value, separators=(",", ":"), ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    assert compact(written) == plain


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://x/", "http://", ""])
def test_what_is_no_address_is_said(url: str) -> None:
    with pytest.raises(CannotSend, match="is not an address"):
        Sender(url)
