"""Ids that come out the same on every attempt, so that destinations can recognise a repeat."""

from hashlib import blake2b
from uuid import UUID


def stable_id(*parts: str) -> str:
    """41 characters that depend on `parts` alone; begins with `hookyard-`, to show where it is from."""
    joined = "\x1f".join(parts).encode()  # a control character that names and JSON texts do not hold
    return "hookyard-" + blake2b(joined, digest_size=16).hexdigest()


def stable_uuid(*parts: str) -> str:
    """A UUID that depends on `parts` alone, as random as they are."""
    joined = "\x1f".join(parts).encode()
    return str(UUID(bytes=blake2b(joined, digest_size=16).digest(), version=4))
