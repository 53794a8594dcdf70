"""HMACs as bytes, for the schemes that make them."""

import hmac
from functools import cache

from receiver.core.settings import Secret


def digest(secret: Secret, algorithm: str, *parts: bytes) -> bytes:
    """Of the parts one after the other. The key is the UTF-8 text of the secret."""
    return finished(_keyed(secret, algorithm), *parts)


def finished(keyed: hmac.HMAC, *parts: bytes) -> bytes:
    """The digest under a key made ready before: its own two rounds are the same for every message."""
    copy = keyed.copy()
    for part in parts:
        copy.update(part)
    return copy.digest()


@cache
def _keyed(secret: Secret, algorithm: str) -> hmac.HMAC:
    return hmac.new(secret.reveal().encode(), digestmod=algorithm)
