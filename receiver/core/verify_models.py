"""The shape of `verify` in routes.yaml. A new scheme: its model here, and one branch in `VerifyScheme`."""

from typing import Annotated, Literal

from pydantic import Field, Tag

from receiver.core.routes_types import (
    BY_FORM,
    LIST,
    MAPPING,
    HeaderName,
    HeaderText,
    Keys,
    MayBeLeftOut,
    Timeout,
    Variables,
    branch_tag,
    branches,
)
from receiver.core.units import human_seconds
from receiver.core.verify_options import DEFAULT_TOLERANCE_S, Algorithm, Batch, Encoding, Signed

_ROTATION = (
    "With a list any of them is right: to change one, add the new one, change it at the sender, then remove "
    "the old one."
)
_TOLERANCE = human_seconds(DEFAULT_TOLERANCE_S)


class VerifySegmentKeys(Keys):
    """The `X-Signature` of Segment's webhook destinations."""

    scheme: Literal["segment"] = Field(description="Segment's shared secret.")
    secret_env: Variables = Field(description=f"Environment variable with the shared secret. {_ROTATION}")
    batch: Batch = Field(
        "first",
        description="Segment signs only the first message of a batch. `first`: such a batch is accepted, and "
        "the others are marked as not covered. `whole`: it is refused with `signature_partial`; then switch "
        "batching off in Segment.",
    )


class VerifyHeaderKeys(Keys):
    """A static header, as Webhooks destinations can send. It vouches for the sender, not for the bytes."""

    scheme: Literal["header"] = Field(description="A header with a secret value.")
    name: HeaderName = Field(description="Name of the header, in any case.")
    secret_env: Variables = Field(description=f"Environment variable with its value. {_ROTATION}")


class VerifyBasicKeys(Keys):
    """`Authorization: Basic`. Segment's partner subscriptions send the API key as user name, no password."""

    scheme: Literal["basic"] = Field(description="User name and password.")
    username_env: Variables = Field(
        description=f"Environment variable with the user name, or the API key. {_ROTATION}"
    )
    password_env: MayBeLeftOut[Variables] = Field(
        None,
        description="Environment variable with the password; any of the user names may come with any of the "
        "passwords. Left out: the password is empty.",
    )


class VerifyBearerKeys(Keys):
    """`Authorization: Bearer`, as the Extensible Webhook can send."""

    scheme: Literal["bearer"] = Field(description="A bearer token.")
    secret_env: Variables = Field(description=f"Environment variable with the token. {_ROTATION}")


class VerifyHmacKeys(Keys):
    """An HMAC in a header of your choice: for destination functions and other senders that sign."""

    scheme: Literal["hmac"] = Field(description="An HMAC of the body.")
    header: HeaderName = Field(description="Name of the header with the signature, in any case.")
    secret_env: Variables = Field(
        description=f"Environment variable with the secret, whose UTF-8 text is the key. {_ROTATION}"
    )
    algorithm: Algorithm = Field("sha256", description="Hash function.")
    encoding: Encoding = Field("hex", description="How the signature is written.")
    prefix: HeaderText = Field("", description="What stands before it, such as `sha256=`.")
    timestamp_header: MayBeLeftOut[HeaderName] = Field(
        None, description="Name of the header with the time of sending: seconds or milliseconds since 1970."
    )
    signed: MayBeLeftOut[Signed] = Field(
        None,
        description="What is signed. Left out: `{timestamp}.{body}` if there is a `timestamp_header`, else "
        "`{body}`.",
    )
    tolerance: MayBeLeftOut[Timeout] = Field(
        None,
        description="How far that time may be from this server's clock, in either direction. Left out: "
        f"{_TOLERANCE}.",
    )


class VerifyStandardWebhooksKeys(Keys):
    """[Standard Webhooks](https://www.standardwebhooks.com): `webhook-id`, `webhook-timestamp`,
    `webhook-signature`."""

    scheme: Literal["standard-webhooks"] = Field(description="The Standard Webhooks signature.")
    secret_env: Variables = Field(
        description=f"Environment variable with the secret: `whsec_` and base64. {_ROTATION}"
    )
    tolerance: Timeout = Field(
        _TOLERANCE,
        description="How far `webhook-timestamp` may be from this server's clock, in either direction.",
    )


class VerifyNoneKeys(Keys):
    """Nothing is verified: whoever knows the URL can send. `hookyard check` and `hookyard doctor` warn about
    it."""

    scheme: Literal["none"] = Field(description="No verification.")


VerifyScheme = Annotated[
    Annotated[VerifySegmentKeys, Tag(branch_tag("scheme", "segment"))]
    | Annotated[VerifyHeaderKeys, Tag(branch_tag("scheme", "header"))]
    | Annotated[VerifyBasicKeys, Tag(branch_tag("scheme", "basic"))]
    | Annotated[VerifyBearerKeys, Tag(branch_tag("scheme", "bearer"))]
    | Annotated[VerifyHmacKeys, Tag(branch_tag("scheme", "hmac"))]
    | Annotated[VerifyStandardWebhooksKeys, Tag(branch_tag("scheme", "standard-webhooks"))]
    | Annotated[VerifyNoneKeys, Tag(branch_tag("scheme", "none"))],
    branches("scheme", otherwise="none"),
]
VerifyKeys = Annotated[
    Annotated[VerifyScheme, MAPPING]
    | Annotated[list[VerifyScheme], Field(min_length=1, max_length=10), LIST],
    BY_FORM,
]
"""One scheme, or several of which all must pass."""
