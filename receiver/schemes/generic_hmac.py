"""An HMAC over the body, and if wished over a timestamp before it, in a header of any name.

Signatures are compared as text, because several base64 texts stand for the same bytes; hex may be in either
case.
"""

import re
from base64 import b64encode
from collections.abc import Iterator

from receiver.core.errors import SignatureError
from receiver.core.settings import Secret
from receiver.core.verify_options import VerifyHmac
from receiver.schemes.base import Coverage, Scheme, Unverified, is_one_of, require_now
from receiver.schemes.digests import keyed

_SECONDS = re.compile(rb"[0-9]{1,11}")
_MILLISECONDS = re.compile(rb"[0-9]{12,14}")


def verify(request: Unverified, options: VerifyHmac) -> Coverage:
    """Codes of the SignatureError: signature_missing, signature_malformed, signature_stale,
    signature_mismatch."""
    given = _signature(request, options)
    before = b""
    if options.timestamp_header is not None:
        stamp = request.only(options.timestamp_header.lower().encode(), "the sender must say when it signed")
        require_now(_seconds(stamp, options), request, options.tolerance_s, options.timestamp_header)
        before = _before(stamp, options)
    if not is_one_of(given, _right(request.body, before, options)):
        raise SignatureError(
            f"{options.header} does not match the body: check the secret, what is signed, and that nothing "
            "on the way changes the body."
        )
    return Coverage.ALL


def prove(body: bytes, options: VerifyHmac, at_ms: int) -> dict[str, str]:
    stamp = str(at_ms // 1000)
    signature = next(_right(body, _before(stamp.encode(), options), options)).decode()
    times = {options.timestamp_header: stamp} if options.timestamp_header else {}
    return {**times, options.header: options.prefix + signature}


def _signature(request: Unverified, options: VerifyHmac) -> bytes:
    value = request.only(options.header.lower().encode(), "the sender must sign the body")
    prefix = options.prefix.encode()
    if not value.startswith(prefix):
        raise SignatureError(f"{options.header} must begin with {options.prefix}", code="signature_malformed")
    signature = value[len(prefix) :]
    return signature.lower() if options.encoding == "hex" else signature


def _seconds(stamp: bytes, options: VerifyHmac) -> float:
    if _SECONDS.fullmatch(stamp):
        return int(stamp)
    if _MILLISECONDS.fullmatch(stamp):
        return int(stamp) / 1000
    raise SignatureError(
        f"{options.timestamp_header} must be seconds or milliseconds since 1970.", code="signature_malformed"
    )


def _before(stamp: bytes, options: VerifyHmac) -> bytes:
    return stamp + b"." if options.signed == "{timestamp}.{body}" else b""


def _right(body: bytes, before: bytes, options: VerifyHmac) -> Iterator[bytes]:
    return (_written(secret, body, before, options) for secret in options.secrets)


def _written(secret: Secret, body: bytes, before: bytes, options: VerifyHmac) -> bytes:
    made = keyed(secret, options.algorithm).digest(before, body)
    return made.hex().encode() if options.encoding == "hex" else b64encode(made)


SCHEME = Scheme(verify=verify, prove=prove)
