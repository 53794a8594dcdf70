"""The shape of a segment step in routes.yaml: one model a call, and one for each kind of item of a batch."""

from typing import Annotated, Literal

from pydantic import Field, Tag

from receiver.core.routes_types import BY_FORM, LIST, TEXT, Keys, Name, Template, branch_tag, branches
from receiver.core.steps.segment_api import ApiKeys
from receiver.core.steps.segment_fields import (
    AliasFields,
    GroupFields,
    IdentifyFields,
    PageFields,
    ScreenFields,
    TrackFields,
)


class ByConnection(Keys):
    """Where a call goes."""

    connection: Name = Field(description="Name of the connection.")


class IdentifyKeys(IdentifyFields, ByConnection):
    """Say who a user is: once when the account is made, on login, and when traits change."""

    call: Literal["identify"] = Field(description="Kind of call.")


class TrackKeys(TrackFields, ByConnection):
    """Say what a user did."""

    call: Literal["track"] = Field(description="Kind of call.")


class PageKeys(PageFields, ByConnection):
    """Say which page of a website a user saw."""

    call: Literal["page"] = Field(description="Kind of call.")


class ScreenKeys(ScreenFields, ByConnection):
    """Say which screen of an app a user saw."""

    call: Literal["screen"] = Field(description="Kind of call.")


class GroupKeys(GroupFields, ByConnection):
    """Say which company, organisation or team a user belongs to."""

    call: Literal["group"] = Field(description="Kind of call.")


class AliasKeys(AliasFields, ByConnection):
    """Say that a user has another id than before."""

    call: Literal["alias"] = Field(description="Kind of call.")


class IdentifyItem(IdentifyFields):
    """An identify call in a batch."""

    type: Literal["identify"] = Field(description="Kind of call.")


class TrackItem(TrackFields):
    """A track call in a batch."""

    type: Literal["track"] = Field(description="Kind of call.")


class PageItem(PageFields):
    """A page call in a batch."""

    type: Literal["page"] = Field(description="Kind of call.")


class ScreenItem(ScreenFields):
    """A screen call in a batch."""

    type: Literal["screen"] = Field(description="Kind of call.")


class GroupItem(GroupFields):
    """A group call in a batch."""

    type: Literal["group"] = Field(description="Kind of call.")


class AliasItem(AliasFields):
    """An alias call in a batch."""

    type: Literal["alias"] = Field(description="Kind of call.")


Item = Annotated[
    Annotated[IdentifyItem, Tag(branch_tag("type", "identify"))]
    | Annotated[TrackItem, Tag(branch_tag("type", "track"))]
    | Annotated[PageItem, Tag(branch_tag("type", "page"))]
    | Annotated[ScreenItem, Tag(branch_tag("type", "screen"))]
    | Annotated[GroupItem, Tag(branch_tag("type", "group"))]
    | Annotated[AliasItem, Tag(branch_tag("type", "alias"))],
    branches("type", otherwise="track"),
]
Items = Annotated[Annotated[str, TEXT] | Annotated[Annotated[list[Item], Field(min_length=1)], LIST], BY_FORM]


class BatchKeys(ByConnection):
    """Several calls at once."""

    call: Literal["batch"] = Field(description="Kind of call.")
    batch: Items = Field(
        description="The calls: mappings with the fields of each call, and its `type` in place of `call` and "
        "`connection`; or a template that makes such a list."
    )
    context: Template = Field(None, description="For all of them, where a call does not say otherwise.")
    integrations: Template = Field(None, description="For all of them, where a call does not say otherwise.")


SegmentKeys = Annotated[
    Annotated[IdentifyKeys, Tag(branch_tag("call", "identify"))]
    | Annotated[TrackKeys, Tag(branch_tag("call", "track"))]
    | Annotated[PageKeys, Tag(branch_tag("call", "page"))]
    | Annotated[ScreenKeys, Tag(branch_tag("call", "screen"))]
    | Annotated[GroupKeys, Tag(branch_tag("call", "group"))]
    | Annotated[AliasKeys, Tag(branch_tag("call", "alias"))]
    | Annotated[BatchKeys, Tag(branch_tag("call", "batch"))]
    | Annotated[ApiKeys, Tag(branch_tag("call", "api"))],
    branches("call", otherwise="track"),
]
