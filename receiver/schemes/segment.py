"""Segment's shared-secret signature: `X-Signature` is the HMAC-SHA1 of the bytes, in hex (segment.md 1.5).

What is signed depends on the destination and its age: the whole body, the first item of a batch, or what is
wrapped in that item. The signed bytes are always a slice of the body as it came; nothing is serialised again.
"""

import hmac
from binascii import unhexlify
from collections.abc import Iterator

from receiver.core import envelope, json_text
from receiver.core.errors import MalformedMessage, SignatureError
from receiver.core.settings import Secret
from receiver.core.verify_options import VerifySegment
from receiver.schemes.base import Coverage, Scheme, Unverified
from receiver.schemes.digests import keyed

HEADER = b"x-signature"
_SHA1_BYTES = 20


def verify(request: Unverified, options: VerifySegment) -> Coverage:
    """Codes of the SignatureError: signature_missing, signature_malformed, signature_mismatch,
    signature_partial."""
    given = _signature(request)
    for coverage, signed in _candidates(request.body):
        for secret in options.secrets:
            if hmac.compare_digest(keyed(secret, "sha1").digest(signed), given):
                _require_whole(coverage, options)
                return coverage
    raise SignatureError(
        "The X-Signature does not match the body: check that the shared secret of the Segment destination "
        "is one of this source's secrets, and that nothing on the way changes the body."
    )


def prove(body: bytes, options: VerifySegment, at_ms: int) -> dict[str, str]:
    """As Segment does today: of a batch, its first item is signed."""
    signed = body if options.batch == "whole" else _first(body) or body
    return {"X-Signature": sign(signed, options.secrets[0])}


def sign(body: bytes, secret: Secret) -> str:
    """The X-Signature Segment would send with this body: for our own test senders."""
    return keyed(secret, "sha1").digest(body).hex()


def _signature(request: Unverified) -> bytes:
    value = request.only(HEADER, "set a shared secret in the Segment destination")
    try:
        given = unhexlify(value)
    except ValueError:
        given = b""
    if len(given) != _SHA1_BYTES:
        raise SignatureError("X-Signature must be 40 hex digits.", code="signature_malformed")
    return given


def _require_whole(coverage: Coverage, options: VerifySegment) -> None:
    # Also a batch of one: otherwise what passes with few messages would be lost with many.
    if coverage is Coverage.FIRST and options.batch == "whole":
        raise SignatureError(
            "The X-Signature covers only the first message of the batch, and this source wants all covered: "
            "switch batching off in the Segment destination, or set `batch: first` here.",
            code="signature_partial",
        )


def _candidates(body: bytes) -> Iterator[tuple[Coverage, bytes]]:
    """What may have been signed, the likeliest first; the others are cut out only when it does not match."""
    batched = json_text.is_array(body)
    if not batched:
        yield Coverage.ALL, body
    yield from _of_first_item(body)
    if batched:
        yield Coverage.ALL, body


def _of_first_item(body: bytes) -> Iterator[tuple[Coverage, bytes]]:
    try:
        first = json_text.first_item(body if json_text.is_array(body) else _batch(body))
        if first is not None:
            yield Coverage.FIRST, first
            inner = json_text.members(first) if json_text.is_object(first) else {}
            # The only member: beside it, unsigned ones would pass as covered.
            if inner.keys() == {"json"}:
                yield Coverage.FIRST, bytes(inner["json"])
    except MalformedMessage:
        return


def _batch(body: bytes) -> bytes:
    return (envelope.batch_of(json_text.members(body)) or b"") if json_text.is_object(body) else b""


def _first(body: bytes) -> bytes | None:
    """What Segment signs of a batch: its first item, unwrapped; None if there is no such object."""
    first = json_text.first_item(body) if json_text.is_array(body) else None
    if first is None or not json_text.is_object(first):
        return None
    return envelope.wrapped_in(json_text.members(first)) or first


SCHEME = Scheme(verify=verify, prove=prove)
