"""The scheme of a source without a signature: everything passes, nothing is covered."""

from collections.abc import Sequence

from receiver.core.settings import Secret
from receiver.schemes.base import Coverage, Unverified, Verified


def verify(request: Unverified, secrets: Sequence[Secret]) -> Verified:
    """Never raises."""
    return Verified(body=request.body, coverage=Coverage.NONE)
