"""The scheme of a source without a signature: everything passes, nothing is covered."""

from receiver.core.verify_options import VerifyNone
from receiver.schemes.base import Coverage, Scheme, Unverified


def verify(request: Unverified, options: VerifyNone) -> Coverage:
    """Never raises."""
    return Coverage.NONE


def prove(body: bytes, options: VerifyNone, at_ms: int) -> dict[str, str]:
    return {}


SCHEME = Scheme(verify=verify, prove=prove)
