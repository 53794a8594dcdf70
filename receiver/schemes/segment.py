"""Segment's shared-secret signature: `X-Signature` is the HMAC-SHA1 of the bytes, in hex (segment.md 1.5).

What is signed depends on the destination and its age: the whole body, the first item of a batch, or what is
wrapped in that item. The signed bytes are always a slice of the body as it came; nothing is serialised again.
"""

import hmac
import re
from collections.abc import Iterator, Sequence
from functools import cache

from receiver.core import envelope, json_text
from receiver.core.errors import MalformedMessage, SignatureError
from receiver.core.settings import Secret
from receiver.schemes.base import Coverage, Unverified, Verified

HEADER = b"x-signature"
_HEX_SHA1 = re.compile(r"[0-9a-fA-F]{40}")


def verify(request: Unverified, secrets: Sequence[Secret]) -> Verified:
    """Codes of the SignatureError: signature_missing, signature_malformed, signature_mismatch."""
    given = _signature(request)
    for coverage, signed in _candidates(request.body):
        for secret in secrets:
            if hmac.compare_digest(_digest(signed, secret), given):
                return Verified(body=request.body, coverage=coverage)
    raise SignatureError(
        "The X-Signature does not match the body: check that the shared secret of the Segment destination "
        "is one of this source's secrets, and that nothing on the way changes the body."
    )


def sign(body: bytes, secret: Secret) -> str:
    """The X-Signature Segment would send with this body: for our own test senders."""
    return _digest(body, secret).hex()


def _digest(body: bytes, secret: Secret) -> bytes:
    keyed = _keyed(secret).copy()
    keyed.update(body)
    return keyed.digest()


@cache
def _keyed(secret: Secret) -> hmac.HMAC:
    """The key's own two rounds are the same for every message."""
    return hmac.new(secret.reveal().encode(), digestmod="sha1")


def _signature(request: Unverified) -> bytes:
    values = request.header(HEADER)
    if not values:
        raise SignatureError(
            "There is no X-Signature header: set a shared secret in the Segment destination.",
            code="signature_missing",
        )
    if len(values) > 1 or not _HEX_SHA1.fullmatch(values[0]):
        raise SignatureError("X-Signature must be one value of 40 hex digits.", code="signature_malformed")
    return bytes.fromhex(values[0])


def _candidates(body: bytes) -> Iterator[tuple[Coverage, bytes]]:
    """What may have been signed; the later ones are cut out only when the earlier did not match."""
    yield Coverage.ALL, body
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
