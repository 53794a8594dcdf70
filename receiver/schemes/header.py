"""A header that always has the same secret value, as Segment's Webhooks destinations can send."""

from receiver.core.errors import SignatureError
from receiver.core.verify_options import VerifyHeader
from receiver.schemes.base import Coverage, Scheme, Unverified, is_one_of


def verify(request: Unverified, options: VerifyHeader) -> Coverage:
    """Codes of the SignatureError: signature_missing, signature_malformed, signature_mismatch."""
    given = request.only(options.name.lower().encode(), "add it to the destination's headers")
    if not is_one_of(given, (secret.reveal().encode() for secret in options.secrets)):
        raise SignatureError(f"The value of {options.name} is none of this source's secrets.")
    return Coverage.SENDER


def prove(body: bytes, options: VerifyHeader, at_ms: int) -> dict[str, str]:
    return {options.name: options.secrets[0].reveal()}


SCHEME = Scheme(verify=verify, prove=prove)
