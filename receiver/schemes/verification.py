"""All the schemes of a source, one after the other: the way from an unverified request to a verified one."""

from collections.abc import Sequence

from receiver.core.verify_options import Verify
from receiver.schemes import SCHEMES
from receiver.schemes.base import Coverage, Unverified, Verified


def verify(request: Unverified, wanted: Sequence[Verify]) -> Verified:
    """Every one of them must pass. Raises SignatureError.

    A secret that is sent along vouches for the whole request only where no signature over the bytes says
    which of them it covers: such a secret is easier to come by than a signature is to make.
    """
    found = [SCHEMES[options.scheme].verify(request, options) for options in wanted]
    coverage = found[0] if len(found) == 1 else next(one for one in Coverage if one in found)
    return Verified(body=request.body, coverage=coverage)


def prove(body: bytes, wanted: Sequence[Verify], at_ms: int) -> dict[str, str]:
    """The headers with which a body passes them all, sent at a time in milliseconds since 1970."""
    headers: dict[str, str] = {}
    for options in wanted:
        headers |= SCHEMES[options.scheme].prove(body, options, at_ms)
    return headers
