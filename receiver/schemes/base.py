"""What a scheme is: it lets an unverified request through, or raises SignatureError.

Only `receiver.schemes.verification` makes a `Verified`, and everything behind it (`receiver.split`) takes
nothing else: the type checker refuses a body that nobody verified. A scheme is a pure function: no I/O, and
the time is that of the request.
"""

import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

import msgspec

from receiver.core.errors import SignatureError
from receiver.core.units import human_seconds


class Coverage(Enum):
    """Which messages of a body are vouched for. The first of these words that any scheme says is the one."""

    ALL = "all"
    """A signature over the whole body."""
    FIRST = "first"
    """Segment signs only the first message of a batch: the others could have been altered on the way."""
    SENDER = "sender"
    """The sender gave its secret along, and so vouches for all that came in the same request."""
    NONE = "none"

    def includes(self, index: int) -> bool:
        """Whether the message at this place of the body is covered."""
        return self is Coverage.ALL or self is Coverage.SENDER or (self is Coverage.FIRST and index == 0)


class Unverified(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it came: nothing in it may be believed."""

    body: bytes
    headers: Sequence[tuple[bytes, bytes]]
    """Names in lower case, as ASGI gives them."""
    at_ms: int
    """When it came, by our clock, in milliseconds since 1970."""

    def header(self, name: bytes) -> list[bytes]:
        """All values of a header; `name` in lower case."""
        return [value.strip() for key, value in self.headers if key == name]

    def only(self, name: bytes, advice: str) -> bytes:
        """The one value of a header. Raises SignatureError: signature_missing, signature_malformed."""
        values = self.header(name)
        if len(values) == 1:
            return values[0]
        shown = name.decode("latin-1").title()
        if values:
            raise SignatureError(
                f"There must be one {shown} header, not {len(values)}.", code="signature_malformed"
            )
        raise SignatureError(f"There is no {shown} header: {advice}.", code="signature_missing")


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """A body that all the schemes of its source let through."""

    body: bytes
    coverage: Coverage


V_contra = TypeVar("V_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class Scheme(Generic[V_contra]):
    """One way to verify; its options are a record of `receiver.core.verify_options`."""

    verify: Callable[[Unverified, V_contra], Coverage]
    """Raises SignatureError, and nothing else, whatever the bytes."""
    prove: Callable[[bytes, V_contra, int], Mapping[str, str]]
    """The headers that get a body through, sent at a time in milliseconds: for our own senders."""


def is_one_of(given: bytes, right: Iterable[bytes]) -> bool:
    """Compares with all of them in constant time."""
    matches = [hmac.compare_digest(given, one) for one in right]
    return any(matches)


def require_now(sent_s: float, request: Unverified, tolerance_s: float, shown: str) -> None:
    """Raises SignatureError (signature_stale) unless a signature was made at about the time it came."""
    off = abs(request.at_ms / 1000 - sent_s)
    if off > tolerance_s:
        raise SignatureError(
            f"{shown} is {human_seconds(off)} off this server's clock, and {human_seconds(tolerance_s)} are "
            "tolerated: are both clocks right, or was the request held back?",
            code="signature_stale",
        )
