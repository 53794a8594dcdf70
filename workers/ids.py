"""Ids that come out the same on every attempt, so that destinations can recognise a repeat."""

from hashlib import blake2b


def stable_id(*parts: str) -> str:
    """41 characters that depend on `parts` alone; begins with `hookyard-`, to show where it is from."""
    joined = "\x1f".join(parts).encode()  # a control character that names and JSON texts do not hold
    return "hookyard-" + blake2b(joined, digest_size=16).hexdigest()
