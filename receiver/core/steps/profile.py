"""The profile step in routes.yaml: one question to Segment's Profile API."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, cast

from pydantic import Field

from receiver.core import units
from receiver.core.connection_use import check_use
from receiver.core.findings import Findings
from receiver.core.routes_types import BY_FORM, LIST, TEXT, Age, Keys, MayBeLeftOut, Name
from receiver.core.segment import profile
from receiver.core.segment.profile import RESOURCES, Class, Collection, Get, Missing, Sort
from receiver.core.steps.base import Place, Spec, is_template, leaves
from receiver.core.yaml_nodes import Path

Names = Annotated[Annotated[str, TEXT] | Annotated[list[str], Field(min_length=1), LIST], BY_FORM]

_FORMS: Mapping[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("limit", "max_items"), int),
    **dict.fromkeys(("include", "exclude"), (str, list)),
    **dict.fromkeys(("start", "end", "next"), str),
}
"""Parameters of which more is to be said than the model below says."""


class ProfileKeys(Keys):
    """One question to the Profile API; the answer is the output of the step.

    `id`, `include`, `exclude`, `start`, `end` and `next` are templates; null leaves a parameter out, but as
    `id` it is an error.
    """

    connection: Name = Field(description="Name of the connection; it needs `profile_token_env`.")
    get: Get = Field(
        description="What is asked for, and what the output calls it. `properties` are the traits as a list "
        "of `key` and `value`."
    )
    id: str = Field(
        description="Whose it is: a type of id, a colon and the id, such as `user_id:{{ userId }}`. Any type "
        "the space knows will do; `group_id` for accounts."
    )
    collection: Collection = Field("users", description="Whether users or accounts are asked for.")
    include: MayBeLeftOut[Names] = Field(
        None,
        description="Only these traits, event names or types of external ids, as a list or with commas "
        "between.",
    )
    exclude: MayBeLeftOut[Names] = Field(None, description="`events` only: not events of these names.")
    class_: MayBeLeftOut[Class] = Field(
        None, alias="class", description="`traits` only: audiences, or computed traits, alone."
    )
    verbose: bool = Field(
        False,
        description="`true`: with each value its source and when it was set. Not for `events`, `links`.",
    )
    sort: MayBeLeftOut[Sort] = Field(
        None, description="`events` only: oldest or newest first. Left out: newest."
    )
    start: MayBeLeftOut[str] = Field(
        None, description="`events` only: since then, ISO 8601. Segment keeps 14 days."
    )
    end: MayBeLeftOut[str] = Field(None, description="`events` only: until then, ISO 8601.")
    limit: MayBeLeftOut[int] = Field(
        None,
        description="Most items of one answer of Segment: 200 traits, 100 events or external ids, 20 links. "
        "Alone it also means no more than one answer.",
    )
    max_items: MayBeLeftOut[int] = Field(
        None,
        description="Answers are fetched one after the other until there are so many items. Left out: 200 "
        "traits, 100 external ids, 10 events.",
    )
    next: MayBeLeftOut[str] = Field(
        None, description="Go on from here: what an earlier output called `next`."
    )
    missing: Missing = Field(
        "empty",
        description="When there is no such profile: `empty` goes on with `found: false` and nothing in it; "
        "`fail` makes a dead letter.",
    )
    cache: MayBeLeftOut[Age] = Field(
        None,
        description="How old an answer may be that this worker process has had to the same question. Left "
        "out: each attempt asks.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileSpec(Spec):
    """Ask one question. `id` and the values of `values` are templates."""

    kind: ClassVar[str] = "profile"

    connection: str
    get: Get
    id: str
    collection: Collection = "users"
    values: Mapping[str, Any]
    """The parameters that were written, by the names of `profile.PARAMETERS`."""
    missing: Missing = "empty"
    cache_s: float = 0.0


def check(path: Path, step: Any, data: Mapping[str, Any], findings: Findings) -> None:
    """Its connection, and the parameters that its resource has."""
    if not isinstance(step, dict):
        return
    check_use((*path, "connection"), step.get("connection"), "profile", data, findings)
    written = step.get("id")
    if isinstance(written, str) and not is_template(written):
        _note(path, profile.check_id(written), findings)
    elif isinstance(written, str) and ":" not in written.partition("{{")[0]:
        findings.warn((*path, "id"), "has no type before the template, such as user_id:{{ userId }}")
    get = step.get("get")
    if isinstance(get, str) and get in RESOURCES:
        given = {name: step[name] for name in profile.PARAMETERS if step.get(name) is not None}
        known = RESOURCES[cast(Get, get)].parameters
        fixed = {name: v for name, v in given.items() if name not in known or _is_fixed(name, v)}
        _note(path, profile.check(cast(Get, get), fixed), findings)


def _is_fixed(name: str, value: Any) -> bool:
    """Whether a parameter is known before there is a message, and its shape says not all there is to say."""
    if not isinstance(value, _FORMS.get(name, ())) or isinstance(value, bool):
        return False
    return not any(map(is_template, value if isinstance(value, list) else [value]))


def _note(path: Path, problems: Iterator[tuple[str, str]], findings: Findings) -> None:
    for name, sentence in problems:
        findings.error((*path, name), sentence)


def templates(path: Path, step: Any) -> Iterator[Place]:
    """The id and the parameters."""
    if not isinstance(step, dict):
        return
    if isinstance(step.get("id"), str):
        yield (*path, "id"), step["id"], "id"
    for name in profile.PARAMETERS:
        yield from leaves((*path, name), step.get(name))


def build(keys: ProfileKeys, environ: Mapping[str, str]) -> ProfileSpec:
    """The record of a profile step."""
    written = keys.model_dump(by_alias=True, exclude_defaults=True)
    return ProfileSpec(
        connection=keys.connection,
        get=keys.get,
        id=keys.id,
        collection=keys.collection,
        values={name: written[name] for name in profile.PARAMETERS if name in written},
        missing=keys.missing,
        cache_s=0.0 if keys.cache is None else units.seconds(keys.cache),
    )
