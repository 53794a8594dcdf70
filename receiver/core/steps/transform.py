"""The transform step in routes.yaml: what is dropped of a message, or changed in it, for the steps behind.

The first four actions are those of Segment's destination filters, and run in Segment's order, whatever the
order in the file: see `RANKS`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from receiver.core.findings import Findings
from receiver.core.fql import Predicate, compile_fql
from receiver.core.routes_types import FieldPath, Keys, MayBeLeftOut, Template
from receiver.core.steps.base import Place, Spec, leaves
from receiver.core.transforms import names_of
from receiver.core.yaml_nodes import Path

WORDS = ("sample", "drop", "set", "rename", "block", "allow")
EVERY = "all"
"""What Segment writes where a filter has no condition; no FQL."""

FieldsByObject = Annotated[
    dict[str, Annotated[list[str], Field(examples=[["email", "phone"]])]], Field(min_length=1)
]


class SampleKeys(Keys):
    """Which share of the messages is kept."""

    percent: float = Field(
        ge=0,
        le=1,
        description="The share that is kept, from 0 (none) to 1 (all). The rest ends as dropped.",
    )
    path: MayBeLeftOut[FieldPath] = Field(
        None,
        description="Path of a field that decides, such as `userId`: messages with the same value there have "
        "the same fate, and what is kept at 0.3 is also kept at 0.6. Left out: by chance, once a delivery.",
    )


class ActionKeys(Keys):
    """One action on the message, and when it is done."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": [word]} for word in WORDS]})

    sample: MayBeLeftOut[SampleKeys] = Field(None, description="Keep a share of the messages, drop the rest.")
    drop: MayBeLeftOut[Literal[True]] = Field(None, description="`true`: the delivery ends as dropped.")
    set: MayBeLeftOut[Annotated[dict[FieldPath, Template], Field(min_length=1)]] = Field(
        None,
        description="Path of a field → its new value, any structure of templates. Objects on the way "
        "are made.",
    )
    rename: MayBeLeftOut[Annotated[dict[FieldPath, FieldPath], Field(min_length=1)]] = Field(
        None, description="Path of a field → its new path. Nothing happens where it is missing."
    )
    block: MayBeLeftOut[FieldsByObject] = Field(
        None,
        description='Path of an object (`""`: the message) → keys that are taken out of it. If there is a '
        "list, out of each object in it.",
    )
    allow: MayBeLeftOut[FieldsByObject] = Field(
        None,
        description='Path of an object (`""`: the message) → the keys that stay in it; all others are taken '
        "out.",
    )
    if_: MayBeLeftOut[str] = Field(
        None,
        alias="if",
        description="FQL over the message as the actions before have left it, and `steps.<name>`. Left "
        "out, or `all`: always.",
        examples=['type = "page"'],
    )


@dataclass(frozen=True, slots=True)
class Sample:
    """Keep a share of the messages."""

    percent: float
    path: str | None
    """Of the field that decides; None: chance does."""


@dataclass(frozen=True, slots=True)
class Drop:
    """End the delivery."""


@dataclass(frozen=True, slots=True)
class Set:
    """Give fields a value."""

    values: Mapping[str, Any]
    """By path; templates."""


@dataclass(frozen=True, slots=True)
class Rename:
    """Move values."""

    paths: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Block:
    """Take keys out of objects."""

    fields: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Allow:
    """Take all other keys out of objects."""

    fields: Mapping[str, tuple[str, ...]]


Action = Sample | Drop | Set | Rename | Block | Allow

RANKS: Mapping[type[Action], int] = {Sample: 0, Drop: 1, Set: 2, Rename: 2, Block: 3, Allow: 4}
"""The order of the actions; those of one rank keep the order of the file. `set` and `rename` may read what
`block` and `allow` take away, and cannot bring it back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSpec:
    """An action and when it is done."""

    number: int
    """Its place in the file, from 1."""
    action: Action
    condition: Predicate | None = None
    """None: always."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformSpec(Spec):
    """Change the message for the steps behind it; what is stored stays as it is."""

    kind: ClassVar[str] = "transform"
    actions: tuple[ActionSpec, ...]
    """In the order in which they run."""


def check(path: Path, step: Any, data: Mapping[str, Any], findings: Findings) -> None:
    """One action each; and what would leave hardly anything of a message."""
    for at, action in enumerate(step if isinstance(step, list) else ()):
        if not isinstance(action, dict):
            continue
        words = [word for word in WORDS if word in action]
        if len(words) > 1:
            findings.error((*path, at), f"make an action of its own for each of {', '.join(words)}")
        elif not words and set(action) <= {"if"}:
            findings.error((*path, at), f"says nothing to do; it needs one of {', '.join(WORDS)}")
        allowed = action.get("allow")
        kept = allowed.get("") if isinstance(allowed, dict) else None
        if isinstance(kept, list) and "type" not in kept:
            findings.warn((*path, at, "allow"), "takes away `type` and all ids that it does not list")


def drops_all(step: Any) -> bool:
    """Whether no message gets past it: it drops without a condition, or keeps none."""
    return any(
        isinstance(action, dict)
        and action.get("if", EVERY) == EVERY
        and (action.get("drop") is True or _keeps_none(action.get("sample")))
        for action in (step if isinstance(step, list) else ())
    )


def fields_set(step: Any) -> set[str]:
    """The top-level fields that it sets, or renames something to."""
    paths: list[Any] = []
    for action in step if isinstance(step, list) else ():
        values = action.get("set") if isinstance(action, dict) else None
        renamed = action.get("rename") if isinstance(action, dict) else None
        paths += [*(values if isinstance(values, dict) else ())]
        paths += [*(renamed.values() if isinstance(renamed, dict) else ())]
    return {names_of(path)[0] for path in paths if isinstance(path, str) and names_of(path)}


def _keeps_none(sample: Any) -> bool:
    return isinstance(sample, dict) and sample.get("percent") in (0, 0.0)


def templates(path: Path, step: Any) -> Iterator[Place]:
    """The values of `set` and the conditions."""
    for at, action in enumerate(step if isinstance(step, list) else ()):
        if not isinstance(action, dict):
            continue
        values = action.get("set")
        for field, value in values.items() if isinstance(values, dict) else ():
            yield from leaves((*path, at, "set", field), value)
        condition = action.get("if")
        if isinstance(condition, str) and condition != EVERY:
            yield (*path, at, "if"), condition, "fql"


def build(keys: list[ActionKeys], environ: Mapping[str, str]) -> TransformSpec:
    """The record of a transform step."""
    made = [
        ActionSpec(
            number=number,
            action=_action(one),
            condition=None if one.if_ in (None, EVERY) else compile_fql(one.if_),
        )
        for number, one in enumerate(keys, 1)
    ]
    return TransformSpec(actions=tuple(sorted(made, key=lambda one: RANKS[type(one.action)])))


def _action(keys: ActionKeys) -> Action:
    if keys.sample is not None:
        return Sample(keys.sample.percent, keys.sample.path)
    if keys.set is not None:
        return Set(keys.set)
    if keys.rename is not None:
        return Rename(keys.rename)
    if keys.block is not None:
        return Block({path: tuple(names) for path, names in keys.block.items()})
    if keys.allow is not None:
        return Allow({path: tuple(names) for path, names in keys.allow.items()})
    return Drop()
