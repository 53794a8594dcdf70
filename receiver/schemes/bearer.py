"""`Authorization: Bearer`, as the Extensible Webhook destination can send."""

import re

from receiver.core.errors import SignatureError
from receiver.core.verify_options import VerifyBearer
from receiver.schemes.base import Coverage, Scheme, Unverified, is_one_of

HEADER = b"authorization"
_BEARER = re.compile(rb"(?i:bearer) +(.+)", re.DOTALL)


def verify(request: Unverified, options: VerifyBearer) -> Coverage:
    """Codes of the SignatureError: signature_missing, signature_malformed, signature_mismatch."""
    match = _BEARER.fullmatch(request.only(HEADER, "the sender must send its bearer token"))
    if match is None:
        raise SignatureError("Authorization must be `Bearer` and the token.", code="signature_malformed")
    if not is_one_of(match[1], (secret.reveal().encode() for secret in options.secrets)):
        raise SignatureError("The bearer token is none of this source's.")
    return Coverage.SENDER


def prove(body: bytes, options: VerifyBearer, at_ms: int) -> dict[str, str]:
    return {"Authorization": f"Bearer {options.secrets[0].reveal()}"}


SCHEME = Scheme(verify=verify, prove=prove)
