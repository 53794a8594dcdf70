"""The kinds of values that routes.yaml is made of, and what to say when one does not fit."""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from receiver.core import units
from receiver.core.globs import compile_glob

FIELDS = {
    name.lower(): name
    for name in (
        "userId",
        "anonymousId",
        "groupId",
        "previousId",
        "messageId",
        "properties",
        "traits",
        "context",
    )
}
"""Fields of messages as Segment spells them, by how they are misspelt."""
LONGEST_RETRY_S = 30 * 86400.0
LONGEST_TIMEOUT_S = 3600.0

PATTERNS = {
    r"^[A-Za-z0-9_-]{1,100}$": "a name is made of letters, digits, `_` and `-`, 100 at most",
    r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$": "a path is made of letters, digits, `_` and `-`, with `/` between",
    r"^[A-Za-z_][A-Za-z0-9_]*$": "write the name of an environment variable, never the secret itself",
    r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$": "write module:function, such as workflows.orders:thank",
    r"^https?://[^/?#\s@]+(/[^?#\s]*)?$": "write a URL such as https://events.example.com",
    r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$": "the name of a header is made of letters, digits and `-`",
    r"^[A-Za-z0-9_.-]+$": "the id of a space is made of letters, digits, `_`, `.` and `-`",
    r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$": "write module.function, such as myapp.jobs.send",
    r"^[!-~]{1,200}$": "the name of an RQ queue is made of ASCII characters, without spaces",
    r"^(\\.|[^.\\])+(\.(\\.|[^.\\])+)*$": "a path is names with dots between, such as properties.total",
    r"^[!-~]*$": "what stands in a header is made of ASCII characters, without spaces",
}
"""Every pattern of the models, and what to say where it does not fit."""
_DURATION = {"pattern": r"^(\d+(\.\d+)?(ms|[smhdw]))+$"}
_RATE = {"pattern": r"^\d+(\.\d+)?/[smh]$"}
"""For editors only: what is read here is what `receiver.core.units` can read, and it says why not."""
_NAME, _PATH, _VARIABLE, _TARGET, _URL, _HEADER, _SPACE, _DOTTED, _QUEUE, _FIELD, _VISIBLE = PATTERNS


def _at_most(longest_s: float) -> AfterValidator:
    def check(value: str) -> str:
        if units.seconds(value) > longest_s:
            raise ValueError(f"{value} is too long; the most is {units.human_seconds(longest_s)}")
        return value

    return AfterValidator(check)


def _with_unit(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"a duration has a unit; write {value}s for seconds")
    return value


def _positive(value: str) -> str:
    if units.seconds(value) <= 0:
        raise ValueError(f"{value} leaves no time at all")
    return value


def _rate(value: str) -> str:
    units.per_second(value)
    return value


def _glob(value: str) -> str:
    compile_glob(value)
    return value


def _form(value: object) -> str:
    """Which branch of a union is meant. Tags in angle brackets are left out of key paths."""
    if isinstance(value, list):
        return "<list>"
    return "<mapping>" if isinstance(value, dict | BaseModel) else "<text>"


def _given(value: object) -> object:
    if value is None:
        raise ValueError("has no value; give it one, or remove the key")
    return value


def _field(value: str) -> str:
    root = value.partition(".")[0]
    known = FIELDS.get(root.lower(), root)
    if known != root:
        raise ValueError(f"no message has {root!r}; write {known}")
    return value


T = TypeVar("T")
MayBeLeftOut = Annotated[T | None, BeforeValidator(_given)]
"""A key without a default. Null is no way to write it: `events:` with nothing after it must not mean all."""

TEXT, LIST, MAPPING, BY_FORM = Tag("<text>"), Tag("<list>"), Tag("<mapping>"), Discriminator(_form)


def unknown_branch(key: str) -> str:
    """Type of pydantic's error when the key that tells branches apart names none of them."""
    return f"unknown_{key}"


def branch_tag(key: str, name: object) -> str:
    """How the branch with `key: name` is noted in the places of pydantic's errors."""
    return f"<{key} {name}>"


def branches(key: str, *, otherwise: str) -> Discriminator:
    """A union whose branches `key` tells apart. What is no mapping goes to `otherwise`, which says so as well
    as any."""

    def tag(value: object) -> str:
        if isinstance(value, BaseModel):  # on its way back into plain data
            return branch_tag(key, getattr(value, key, None))
        return branch_tag(key, value.get(key) if isinstance(value, dict) else otherwise)

    return Discriminator(tag, custom_error_type=unknown_branch(key), custom_error_message=f"unknown {key}")


Name = Annotated[str, Field(pattern=_NAME)]
SourcePathText = Annotated[str, Field(pattern=_PATH)]
Variable = Annotated[str, Field(pattern=_VARIABLE)]
Target = Annotated[str, Field(pattern=_TARGET)]
Url = Annotated[str, Field(pattern=_URL)]
SpaceId = Annotated[str, Field(pattern=_SPACE)]
HeaderName = Annotated[str, Field(pattern=_HEADER)]
DottedName = Annotated[str, Field(pattern=_DOTTED, examples=["myapp.jobs.send"])]
QueueName = Annotated[str, Field(pattern=_QUEUE)]
FieldPath = Annotated[str, Field(pattern=_FIELD, examples=["properties.total"])]
HeaderText = Annotated[str, Field(pattern=_VISIBLE)]
Glob = Annotated[str, AfterValidator(_glob), Field(examples=["Order *"])]
Timeout = Annotated[
    str,
    BeforeValidator(_with_unit),
    _at_most(LONGEST_TIMEOUT_S),
    AfterValidator(_positive),
    Field(examples=["20s"], json_schema_extra=_DURATION),
]
Age = Annotated[
    str,
    BeforeValidator(_with_unit),
    _at_most(LONGEST_RETRY_S),
    AfterValidator(_positive),
    Field(examples=["5h"], json_schema_extra=_DURATION),
]
OrderPath = Annotated[
    str, Field(pattern=_FIELD, examples=["userId", "properties.order_id"]), AfterValidator(_field)
]
Rate = Annotated[str, AfterValidator(_rate), Field(examples=["500/s", "600/m"], json_schema_extra=_RATE)]
Delay = Annotated[
    str,
    BeforeValidator(_with_unit),
    _at_most(LONGEST_RETRY_S),
    Field(examples=["5s", "10m", "2h"], json_schema_extra=_DURATION),
]

Variables = Annotated[
    Annotated[Variable, TEXT] | Annotated[list[Variable], Field(min_length=1), LIST], BY_FORM
]
Feeds = Annotated[Annotated[Literal["all"], TEXT] | Annotated[list[Name], Field(min_length=1), LIST], BY_FORM]
Retry = Annotated[
    Annotated[Literal["standard", "segment"], TEXT] | Annotated[list[Delay], Field(max_length=50), LIST],
    BY_FORM,
]
Template = Any
"""Any JSON value; texts in it are templates."""


class Keys(BaseModel):
    """A mapping of the file: no other keys, and no value is turned into another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
