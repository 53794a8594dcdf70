"""HMACs as bytes, for the schemes that make them."""

import hashlib
from functools import cache

from receiver.core.settings import Secret


class Keyed:
    """HMAC (RFC 2104) under one key.

    Both its halves are begun once and copied for each message. The standard library's `hmac` is Python around
    the same two halves: a request took 2.5 µs more with it.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes, algorithm: str) -> None:
        """`algorithm` is a name that `hashlib` knows."""
        size = hashlib.new(algorithm).block_size
        if len(key) > size:
            key = hashlib.new(algorithm, key).digest()
        key = key.ljust(size, b"\0")
        self._inner = hashlib.new(algorithm, bytes(byte ^ 0x36 for byte in key))
        self._outer = hashlib.new(algorithm, bytes(byte ^ 0x5C for byte in key))

    def digest(self, *parts: bytes) -> bytes:
        """Of the parts one after the other."""
        inner, outer = self._inner.copy(), self._outer.copy()
        for part in parts:
            inner.update(part)
        outer.update(inner.digest())
        return outer.digest()


@cache
def keyed(secret: Secret, algorithm: str) -> Keyed:
    """The key is the UTF-8 text of the secret."""
    return Keyed(secret.reveal().encode(), algorithm)
