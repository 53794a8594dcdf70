"""Connections: which of Segment's APIs Hookyard may call, where each is, and with which credential."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from receiver.core.settings import Secret

Api: TypeAlias = Literal["tracking", "profile", "public"]
Region: TypeAlias = Literal["us", "eu"]

CREDENTIALS: Mapping[Api, str] = {
    "tracking": "write_key_env",
    "profile": "profile_token_env",
    "public": "public_api_token_env",
}
"""API → the key of a connection that names its credential."""

ADDRESSES: Mapping[Region, Mapping[Api, str]] = {
    "us": {
        "tracking": "https://api.segment.io",
        "profile": "https://profiles.segment.com",
        "public": "https://api.segmentapis.com",
    },
    "eu": {
        "tracking": "https://events.eu1.segmentapis.com",
        "profile": "https://profiles.euw1.segment.com",
        "public": "https://eu1.api.segmentapis.com",
    },
}
"""Segment's hosts. The Profile API alone says `euw1`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Credentials for outbound Segment calls; it has at least one.

    Each URL is a base without a slash at its end and without the version: append `/v1/batch`. It is empty
    where the operator gave addresses of his own and left out this one; then its credential is missing too.
    """

    name: str
    write_key: Secret | None = None
    """Of the source that calls of the tracking API come in by."""
    profile_token: Secret | None = None
    """Access token of the Profile API."""
    space_id: str = ""
    """The space whose profiles `profile_token` reads; not empty where it is given."""
    public_api_token: Secret | None = None
    tracking_url: str = ADDRESSES["us"]["tracking"]
    profile_url: str = ADDRESSES["us"]["profile"]
    public_url: str = ADDRESSES["us"]["public"]

    rate_limit: float | None = None
    """Most messages and requests a second, of all workers together; None: as fast as they come."""
    max_hops: int = 1
    """A message that Hookyard sent so often already, itself or what caused it, is not sent on."""

    def credential(self, api: Api) -> Secret | None:
        """What admits to an API."""
        held = {
            "tracking": self.write_key,
            "profile": self.profile_token,
            "public": self.public_api_token,
        }
        return held[api]
