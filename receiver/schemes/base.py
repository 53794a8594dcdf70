"""What a signature scheme is: it turns an unverified request into a verified one, or raises SignatureError.

Only a scheme makes a `Verified`, and everything behind it (`receiver.split`) takes nothing else: the type
checker refuses a body that nobody verified. A scheme is a pure function of the bytes: no I/O, no clock.
"""

from collections.abc import Sequence
from enum import Enum
from typing import Protocol

import msgspec

from receiver.core.settings import Secret


class Coverage(Enum):
    """Which messages of a body a signature vouches for."""

    ALL = "all"
    FIRST = "first"
    """Segment signs only the first message of a batch: the others could have been altered on the way."""
    NONE = "none"

    def includes(self, index: int) -> bool:
        """Whether the message at this place of the body is covered."""
        return self is Coverage.ALL or (self is Coverage.FIRST and index == 0)


class Unverified(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it came: nothing in it may be believed."""

    body: bytes
    headers: Sequence[tuple[bytes, bytes]]
    """Names in lower case, as ASGI gives them."""

    def header(self, name: bytes) -> list[str]:
        """All values of a header."""
        return [value.decode("latin-1").strip() for key, value in self.headers if key == name]


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """A body that its source's scheme let through."""

    body: bytes
    coverage: Coverage


class Scheme(Protocol):
    """One way to verify."""

    def __call__(self, request: Unverified, secrets: Sequence[Secret]) -> Verified:
        """Any one of the secrets may have signed. Raises SignatureError, and nothing else, for any bytes."""
        ...
