"""How a source proves that it sent a request: one frozen record a scheme, as routes.yaml has it.

`receiver.schemes` holds the code of each scheme under the same name. Where a record has several secrets, any
one of them is right: that is how a secret is changed without a gap. The first is the one we would use
ourselves.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import ClassVar, Literal

from receiver.core.settings import Secret

SchemeName = Literal["segment", "header", "basic", "bearer", "hmac", "standard-webhooks", "none"]
Batch = Literal["first", "whole"]
Algorithm = Literal["sha1", "sha256", "sha512"]
Encoding = Literal["hex", "base64"]
Signed = Literal["{body}", "{timestamp}.{body}"]

DEFAULT_TOLERANCE_S = 300.0
NO_PASSWORD = (Secret(""),)
WEBHOOK_PREFIX = "whsec_"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifySegment:
    """Segment's `X-Signature`."""

    scheme: ClassVar[SchemeName] = "segment"
    secrets: tuple[Secret, ...]
    batch: Batch = "first"
    """Whether the signature may be that of a batch's first item, or must be that of the whole body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyHeader:
    """A header that always has the same value."""

    scheme: ClassVar[SchemeName] = "header"
    name: str
    secrets: tuple[Secret, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyBasic:
    """Basic authentication: any of the user names, with any of the passwords."""

    scheme: ClassVar[SchemeName] = "basic"
    usernames: tuple[Secret, ...]
    passwords: tuple[Secret, ...] = NO_PASSWORD


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyBearer:
    """A bearer token."""

    scheme: ClassVar[SchemeName] = "bearer"
    secrets: tuple[Secret, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyHmac:
    """An HMAC over the body in a header of any name."""

    scheme: ClassVar[SchemeName] = "hmac"
    header: str
    secrets: tuple[Secret, ...]
    algorithm: Algorithm = "sha256"
    encoding: Encoding = "hex"
    prefix: str = ""
    timestamp_header: str | None = None
    signed: Signed = "{body}"
    tolerance_s: float = DEFAULT_TOLERANCE_S
    """Only looked at when there is a `timestamp_header`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyStandardWebhooks:
    """The signature of standardwebhooks.com."""

    scheme: ClassVar[SchemeName] = "standard-webhooks"
    secrets: tuple[Secret, ...]
    """As they are handed out: see `webhook_key`."""
    tolerance_s: float = DEFAULT_TOLERANCE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyNone:
    """Not at all."""

    scheme: ClassVar[SchemeName] = "none"


Verify = (
    VerifySegment
    | VerifyHeader
    | VerifyBasic
    | VerifyBearer
    | VerifyHmac
    | VerifyStandardWebhooks
    | VerifyNone
)


def webhook_key(secret: str) -> bytes:
    """The key inside a secret of Standard Webhooks: base64, with or without `whsec_` and padding.

    Raises ValueError when there is none.
    """
    text = secret.removeprefix(WEBHOOK_PREFIX).rstrip("=")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("not base64") from error
    if not key:
        raise ValueError("empty")
    return key
