"""The shape of a step in routes.yaml. A new kind of step: its model here, and one field in `StepKeys`."""

from typing import Any

from pydantic import ConfigDict, Field

from receiver.core.routes import Call, Method
from receiver.core.routes_types import HeaderName, Keys, MayBeLeftOut, Name, Target, Template, Timeout

STEP_KINDS = ("handler", "http", "segment")
RESERVED_PROPERTIES = ("revenue", "currency", "value")
RESERVED_TRAITS = (
    *("address", "age", "avatar", "birthday", "company", "createdAt", "description", "email", "firstName"),
    *("gender", "id", "lastName", "name", "phone", "title", "username", "website"),
)


def _track(what: str) -> Any:
    return Field(None, description=f"track only, reserved property: {what}.")


def _identify(what: str) -> Any:
    return Field(None, description=f"identify only, reserved trait: {what}.")


class HttpKeys(Keys):
    """One outbound HTTP request. 2xx is success; 408, 429, 5xx and lost connections are tried again.

    Other answers make a dead letter, and 410 (gone) pauses the route as well.
    """

    method: Method = Field("POST", description="HTTP method.")
    url: str = Field(
        description="Address; a template whose scheme and host are written out. Values put into it are "
        "percent-encoded, and null is an error."
    )
    headers: dict[HeaderName, str] = Field(
        {}, description="Headers; their values are templates, and null is an error."
    )
    json_: Template = Field(
        None,
        alias="json",
        description="Body, any structure of templates, sent as JSON. Left out: the message as it came in, "
        "and with GET and DELETE no body.",
    )
    allow_private: bool = Field(
        False, description="`true`: the address may be private, loopback or link-local; refused otherwise."
    )


class SegmentKeys(Keys):
    """One message to Segment. Its values are templates.

    Reserved traits and properties may stand here or inside `traits` and `properties`, but not in both.
    """

    connection: Name = Field(description="Name of the connection.")
    call: Call = Field(description="Kind of message.")
    userId: Template = Field(
        None, description="Id of the user in your database. It or `anonymousId` is needed."
    )
    anonymousId: Template = Field(None, description="Id of a user who is not known by name.")
    timestamp: Template = Field(None, description="ISO 8601, for the past only. Left out: now.")
    event: Template = Field(None, description="track only: name of the event.")
    properties: Template = Field(None, description="track only: what belongs to the event, an object.")
    traits: Template = Field(None, description="identify only: what is known of the user, an object.")
    context: Template = Field(None, description="Segment's context, an object.")
    integrations: Template = Field(None, description="Which of Segment's destinations get it, an object.")

    revenue: Template = _track("amount of money, a decimal number such as 19.99")
    currency: Template = _track("three letters of ISO 4217; left out: US dollars")
    value: Template = _track("worth without money, a number")

    address: Template = _identify("object with city, country, postalCode, state, street")
    age: Template = _identify("number")
    avatar: Template = _identify("URL of a picture")
    birthday: Template = _identify("date")
    company: Template = _identify("object with name, id, industry, employee_count, plan")
    createdAt: Template = _identify("when the account was created, ISO 8601")
    description: Template = _identify("text")
    email: Template = _identify("e-mail address")
    firstName: Template = _identify("text")
    gender: Template = _identify("text")
    id: Template = _identify("text")
    lastName: Template = _identify("text")
    name: Template = _identify("text; Segment makes it from firstName and lastName")
    phone: Template = _identify("text")
    title: Template = _identify("text")
    username: Template = _identify("text")
    website: Template = _identify("URL")


class StepKeys(Keys):
    """One piece of a route's work: exactly one of `handler`, `http`, `segment`; beside it, how to run it."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": [kind]} for kind in STEP_KINDS]})

    handler: MayBeLeftOut[Target] = Field(
        None, description="Python function `module:function`, called with the message and a context."
    )
    http: MayBeLeftOut[HttpKeys] = Field(None, description="An outbound HTTP request.")
    segment: MayBeLeftOut[SegmentKeys] = Field(None, description="A call of Segment's tracking API.")
    as_: MayBeLeftOut[Name] = Field(
        None,
        alias="as",
        description="Name of the step: `steps.<name>` in later templates. Left out: its kind.",
    )
    timeout: Timeout = Field("30s", description="Longest time one attempt may take.")
