"""The shape of routes.yaml: one model a mapping, one described field a key.

The JSON Schema for editors and docs/routes.md are made from these models, so a description here is
documentation. What spans several keys is checked in `receiver.core.routes_check`; nothing here reads files or
the environment.
"""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from receiver.core.connections import CREDENTIALS
from receiver.core.routes import DEFAULT_CONCURRENCY, DEFAULT_QUEUE
from receiver.core.routes_types import (
    BY_FORM,
    MAPPING,
    TEXT,
    Age,
    Feeds,
    Glob,
    Keys,
    MayBeLeftOut,
    Name,
    OrderPath,
    Rate,
    Retry,
    SourcePathText,
    SpaceId,
    Url,
    Variable,
    Variables,
)
from receiver.core.steps import StepKeys
from receiver.core.verify_models import VerifyKeys


class SourceKeys(Keys):
    """A sender. Webhooks come in at `POST /hooks/<name>` and need `verify`; calls of the tracking API come in
    at `/v1` and need `write_key_env`. It has one of them, or both."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["verify"]}, {"required": ["write_key_env"]}]}
    )

    verify: MayBeLeftOut[VerifyKeys] = Field(
        None,
        description="How its webhooks are verified; with a list, all of the schemes must pass. Left out: it "
        "has no path below `/hooks/`.",
    )
    write_key_env: MayBeLeftOut[Variables] = Field(
        None,
        description="Environment variable with the write key that Segment's libraries send to `/v1`. With a "
        "list any of the keys will do.",
    )
    paths: MayBeLeftOut[dict[SourcePathText, Feeds]] = Field(
        None,
        min_length=1,
        description="Paths below `/hooks/`, and what each of them feeds: `all` routes, or a list of routes. "
        "Left out: `{<name of the source>: all}`.",
    )
    max_age: MayBeLeftOut[Age] = Field(
        None,
        description="Webhook messages older than this are refused with `message_too_old`, by their "
        "`receivedAt`, else `sentAt`, else `timestamp`; so are those with none of them. What Segment tries "
        "again, for about 4 hours, keeps its old times, and so does what it replays. Left out: of any age.",
    )
    invalid: Literal["keep", "refuse"] = Field(
        "keep",
        description="What becomes of messages that Segment would reject, such as a track message without "
        "`event`: `keep` stores them, and only routes with `invalid: true` take them; `refuse` answers 400 "
        "with Segment's code, or leaves them out of their batch.",
    )
    rate_limit: MayBeLeftOut[Rate] = Field(
        None,
        description="Most messages a second (`500/s`) or a minute (`600/m`), those of batches counted one by "
        "one; above it the answer is 429 with `Retry-After`, and senders try again. Each receiver process "
        "counts for itself. Left out: any number.",
    )
    on_delete: Literal["keep", "purge"] = Field(
        "keep",
        description="What a `delete` message does besides feeding routes: `keep` nothing; `purge` deletes "
        "every message with its `userId` that was stored before it, from all sources. Only messages that the "
        "verification covers are obeyed, so it cannot stand beside scheme `none`.",
    )
    enabled: bool = Field(
        True, description="`false`: messages are kept but feed no route; replay them later."
    )


class RegionUrls(Keys):
    """Addresses of other services that speak Segment's APIs: one for each credential of the connection.

    A `/v1` at the end is not needed, and does no harm.
    """

    tracking: MayBeLeftOut[Url] = Field(
        None, description="Where `write_key_env` goes, such as `https://events.example.com`."
    )
    profile: MayBeLeftOut[Url] = Field(None, description="Where `profile_token_env` goes.")
    public: MayBeLeftOut[Url] = Field(None, description="Where `public_api_token_env` goes.")


class ConnectionKeys(Keys):
    """Where outbound Segment calls go, and with which credentials: at least one of them."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": [key]} for key in CREDENTIALS.values()]}
    )

    write_key_env: MayBeLeftOut[Variable] = Field(
        None,
        description="Environment variable with the write key of a Segment source: what calls of the tracking "
        "API need.",
    )
    profile_token_env: MayBeLeftOut[Variable] = Field(
        None,
        description="Environment variable with an access token of the Profile API, which reads profiles. "
        "Needs `space_id`.",
    )
    space_id: MayBeLeftOut[SpaceId] = Field(
        None, description="Id of the space whose profiles are read: Unify > Unify settings > API access."
    )
    public_api_token_env: MayBeLeftOut[Variable] = Field(
        None,
        description="Environment variable with a token of the Public API: Settings > Access Management > "
        "Tokens. Only API calls need it.",
    )
    region: Annotated[Annotated[Literal["us", "eu"], TEXT] | Annotated[RegionUrls, MAPPING], BY_FORM] = Field(
        "us", description="Region of the Segment workspace, or the addresses of other services."
    )
    rate_limit: MayBeLeftOut[Rate] = Field(
        None,
        description="Most messages sent in a time, such as `500/s`, by all workers together; what is above "
        "waits. An API call to the tracking API counts as one. Left out: as fast as they come.",
    )
    max_hops: int = Field(
        1,
        ge=1,
        le=1_000,
        description="How often a message, with what caused it, may be sent to Segment by Hookyard: one that "
        "comes back after so often is dropped instead of sent on.",
    )


class RouteKeys(Keys):
    """Which messages are worked, and how. All conditions must hold; one that is left out always does."""

    sources: MayBeLeftOut[list[Name]] = Field(
        None, min_length=1, description="Sources the messages come from."
    )
    types: MayBeLeftOut[list[str]] = Field(
        None,
        min_length=1,
        description="Types of message: `track`, `identify`, `page`, `screen`, `group`, `alias`, `delete`.",
    )
    events: MayBeLeftOut[list[Glob]] = Field(
        None,
        min_length=1,
        description="Names of track events, with wildcards. Narrows track messages only; without `types` it "
        "means `types: [track]`.",
    )
    channels: MayBeLeftOut[list[Literal["server", "browser", "mobile", "client", "unknown"]]] = Field(
        None,
        min_length=1,
        description="Where messages come from. `client` takes browser and mobile too; `unknown`: not said.",
    )
    where: MayBeLeftOut[str] = Field(
        None,
        examples=["properties.revenue >= 100 and !contains( event, 'test' )"],
        description="Condition in FQL on the message as it arrived, such as `properties.revenue >= 100`: see "
        "docs/fql.md. What `types`, `events` and `channels` can say is better said there.",
    )
    invalid: bool = Field(
        False,
        description="`true`: takes messages too that Segment would reject, see `invalid` of sources. "
        "`delete` messages and types that are not Segment's are never invalid.",
    )
    steps: list[StepKeys] = Field(min_length=1, description="The work, in this order.")
    retry: Retry = Field(
        "standard",
        description="When a failed delivery is tried again: `standard` (9 times within about 3 days), "
        "`segment` (10 times within about 4 hours), or the delays between attempts. Each varies by up to "
        "20 %.",
    )
    concurrency: int = Field(
        DEFAULT_CONCURRENCY, ge=1, le=10_000, description="Most deliveries of this route at work at a time."
    )
    rate_limit: MayBeLeftOut[Rate] = Field(
        None,
        description="Most attempts of this route a second (`100/s`), a minute (`600/m`) or an hour, of all "
        "workers together; retries and replays count. Left out: any number.",
    )
    order_by: MayBeLeftOut[OrderPath] = Field(
        None,
        description="Messages with the same value at this path are worked one at a time, in the order they "
        "arrived: `userId`, `anonymousId`, `groupId`, or a path such as `properties.order_id`. One that "
        "waits for a retry holds only those with its value, for an hour at most. Left out: in any order.",
    )
    queue: Name = Field(DEFAULT_QUEUE, description="Routes with the same queue share worker processes.")
    enabled: bool = Field(
        True, description="`false`: takes no messages; what came meanwhile can be replayed."
    )


class FileKeys(Keys):
    """Who sends, where outbound calls go, and which messages are worked how."""

    model_config = ConfigDict(json_schema_extra={"patternProperties": {"^x-": {}}})

    sources: dict[Name, SourceKeys] = Field({}, description="Senders by name.")
    connections: dict[Name, ConnectionKeys] = Field({}, description="Segment credentials by name.")
    routes: dict[Name, RouteKeys] = Field({}, description="Routes by name, in the order they are shown.")
