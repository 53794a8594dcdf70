"""The fields of Segment's calls as routes.yaml holds them: in a segment step, and in the items of a batch."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from receiver.core.routes_types import (
    BY_FORM,
    MAPPING,
    TEXT,
    Keys,
    MayBeLeftOut,
    Template,
)


class GenerateKeys(Keys):
    """In place of an `anonymousId`: one is made up."""

    generate: Literal[True] = Field(
        description="One id for each delivery: the same in all of its steps and on every attempt."
    )


class AddressKeys(Keys):
    """Where a user or group lives. Other keys are allowed."""

    model_config = ConfigDict(extra="allow")

    city: Template = Field(None, description="Text.")
    country: Template = Field(None, description="Text.")
    postalCode: Template = Field(None, description="Text.")
    state: Template = Field(None, description="Text.")
    street: Template = Field(None, description="Text.")


class CompanyKeys(Keys):
    """What a user stands for. Other keys are allowed."""

    model_config = ConfigDict(extra="allow")

    name: Template = Field(None, description="Text.")
    id: Template = Field(None, description="Text or a number.")
    industry: Template = Field(None, description="Text.")
    employee_count: Template = Field(None, description="A number.")
    plan: Template = Field(None, description="Text.")


AnonymousId = Annotated[Annotated[str, TEXT] | Annotated[GenerateKeys, MAPPING], BY_FORM]
Address = Annotated[Annotated[str, TEXT] | Annotated[AddressKeys, MAPPING], BY_FORM]
Company = Annotated[Annotated[str, TEXT] | Annotated[CompanyKeys, MAPPING], BY_FORM]

_ONE_ID: JsonDict = {"anyOf": [{"required": ["userId"]}, {"required": ["anonymousId"]}]}


def _inside(container: str, what: str) -> Any:
    return Field(None, description=f"{what} Reserved; may stand inside `{container}` instead.")


def _trait(what: str) -> Any:
    return _inside("traits", what)


def _property(what: str) -> Any:
    return _inside("properties", what)


def _custom(container: str) -> Any:
    return Field(None, description=f"More {container}, whose names are none of the reserved ones. An object.")


class CommonFields(Keys):
    """What every call may hold."""

    userId: Template = Field(
        None, description="Id of the user in your database. It or `anonymousId` is needed."
    )
    anonymousId: MayBeLeftOut[AnonymousId] = Field(
        None,
        description="Id of a user who is not known by name, such as a session's. `{generate: true}` makes "
        "one up.",
    )
    timestamp: Template = Field(
        None, description="When it happened, ISO 8601; for the past only. Left out: now."
    )
    context: Template = Field(None, description="Segment's context, such as `ip` or `page`. An object.")
    integrations: Template = Field(
        None,
        description="Which of Segment's destinations get it: names, or `All`, with `true`, `false` or "
        "options.",
    )


class IdentifyFields(CommonFields):
    """identify: who a user is."""

    model_config = ConfigDict(json_schema_extra=_ONE_ID)

    traits: Template = Field(None, description="What is known of the user. An object.")
    custom: Template = _custom("traits")
    address: MayBeLeftOut[Address] = _trait("Where the user lives.")
    age: Template = _trait("A number.")
    avatar: Template = _trait("URL of a picture.")
    birthday: Template = _trait("A date, ISO 8601.")
    company: MayBeLeftOut[Company] = _trait("The company the user stands for.")
    createdAt: Template = _trait("When the account was made, ISO 8601.")
    description: Template = _trait("Text.")
    email: Template = _trait("E-mail address.")
    firstName: Template = _trait("Text.")
    gender: Template = _trait("Text.")
    id: Template = _trait("Id in your database.")
    lastName: Template = _trait("Text.")
    name: Template = _trait("Full name. Left out: made of `firstName` and `lastName`.")
    phone: Template = _trait("Text.")
    title: Template = _trait("Position at the company, such as `VP of Engineering`.")
    username: Template = _trait("Text, another one for each user.")
    website: Template = _trait("URL.")


class TrackFields(CommonFields):
    """track: what a user did."""

    model_config = ConfigDict(json_schema_extra=_ONE_ID)

    event: Template = Field(description="Name of the event.")
    properties: Template = Field(None, description="What belongs to the event. An object.")
    custom: Template = _custom("properties")
    revenue: Template = _property("Amount of money, a decimal number such as `19.99`.")
    currency: Template = _property("Three letters of ISO 4217. Left out beside `revenue`: `USD`.")
    value: Template = _property("Worth without money, a number.")


class PageFields(CommonFields):
    """page: which page of a website a user saw."""

    model_config = ConfigDict(json_schema_extra=_ONE_ID)

    name: Template = Field(None, description="Name of the page.")
    category: Template = Field(None, description="Category of the page.")
    properties: Template = Field(None, description="What belongs to the page. An object.")
    custom: Template = _custom("properties")
    path: Template = _property("Path of the URL.")
    referrer: Template = _property("URL of the page before.")
    search: Template = _property("Query of the URL.")
    title: Template = _property("Title of the page.")
    url: Template = _property("URL of the page.")
    keywords: Template = _property("What the page is about, a list of texts.")


class ScreenFields(CommonFields):
    """screen: which screen of an app a user saw."""

    model_config = ConfigDict(json_schema_extra=_ONE_ID)

    name: Template = Field(None, description="Name of the screen.")
    category: Template = Field(None, description="Category of the screen.")
    properties: Template = Field(None, description="What belongs to the screen. An object.")
    custom: Template = _custom("properties")


class GroupFields(CommonFields):
    """group: which company, organisation or team a user belongs to."""

    model_config = ConfigDict(json_schema_extra=_ONE_ID)

    groupId: Template = Field(description="Id of the group in your database, 500 characters at most.")
    traits: Template = Field(None, description="What is known of the group. An object.")
    custom: Template = _custom("traits")
    address: MayBeLeftOut[Address] = _trait("Where the group is.")
    avatar: Template = _trait("URL of a picture.")
    createdAt: Template = _trait("When the group's account was made, ISO 8601.")
    description: Template = _trait("Text.")
    email: Template = _trait("E-mail address.")
    employees: Template = _trait("How many work there.")
    id: Template = _trait("Id in your database.")
    industry: Template = _trait("Text.")
    name: Template = _trait("Name of the group.")
    phone: Template = _trait("Text.")
    plan: Template = _trait("Text.")
    website: Template = _trait("URL.")


class AliasFields(CommonFields):
    """alias: a user has another id than before."""

    userId: Template = Field(description="The id from now on.")
    previousId: Template = Field(description="The id until now.")
