"""The segment step in routes.yaml: one call to Segment, or a batch of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from receiver.core.connection_use import check_use
from receiver.core.findings import Findings
from receiver.core.segment.batches import SHARED
from receiver.core.segment.containers import clashes
from receiver.core.segment.fields import CALLS, SHAPES, Call, Shape
from receiver.core.segment.kinds import Kind, shown
from receiver.core.steps import segment_api
from receiver.core.steps.base import Place, Spec, is_template, leaves
from receiver.core.steps.segment_api import ApiKeys, ApiSpec
from receiver.core.steps.segment_keys import SegmentKeys
from receiver.core.yaml_nodes import Path

IDS = frozenset({"userId", "anonymousId", "groupId", "previousId"})
"""Fields that must not be null by accident."""
GENERATED = {"generate": True}
"""In place of an anonymousId: one is made up."""
_OBJECTS = ("properties", "traits", "custom", "context", "integrations")
_NO_FIELDS = ("connection", "call", "type")


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentSpec(Spec):
    """Send one message to Segment, or several."""

    kind: ClassVar[str] = "segment"
    connection: str
    call: Call | Literal["batch"]
    fields: Mapping[str, Any]
    """In Segment's spelling, all templates but GENERATED. Those of the items of a batch hold their `type`."""


def check(path: Path, step: Any, data: Mapping[str, Any], findings: Findings) -> None:
    """Its connection, its reserved fields, and what its call needs."""
    if not isinstance(step, dict):
        return
    if step.get("call") == "api":
        segment_api.check(path, step, data, findings)
        return
    check_use((*path, "connection"), step.get("connection"), "tracking", data, findings)
    _check_fields(path, step.get("call"), step, findings)
    items = step.get("batch")
    for at, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            _check_fields((*path, "batch", at), item.get("type"), item, findings)


def templates(path: Path, step: Any) -> Iterator[Place]:
    """Those of every field of the message, of each message of a batch, or of an API call."""
    if isinstance(step, dict) and step.get("call") == "api":
        yield from segment_api.templates(path, step)
        return
    for key, value in step.items() if isinstance(step, dict) else ():
        if key == "batch" and isinstance(value, list):
            for at, item in enumerate(value):
                yield from templates((*path, key, at), item)
        elif key in IDS and isinstance(value, str | int | float):
            yield (*path, key), value, "id"
        elif key not in _NO_FIELDS:
            yield from leaves((*path, key), value)


def build(keys: SegmentKeys, environ: Mapping[str, str]) -> SegmentSpec | ApiSpec:
    """The record of a segment step."""
    if isinstance(keys, ApiKeys):
        return segment_api.build(keys)
    fields = keys.model_dump(exclude_unset=True, exclude={"connection", "call"})
    return SegmentSpec(connection=keys.connection, call=keys.call, fields=fields)


def _check_fields(path: Path, call: Any, fields: dict[str, Any], findings: Findings) -> None:
    for key in _OBJECTS:
        if not isinstance(fields.get(key), dict | None) and not is_template(fields.get(key)):
            findings.error((*path, key), "must be a mapping, or one template that makes an object")
    shape = SHAPES[call] if call in CALLS else None
    for key, kind in (SHARED if shape is None else shape.direct).items():
        if key != "anonymousId" and (key not in _OBJECTS or isinstance(fields.get(key), dict)):
            _check_value((*path, key), kind, fields.get(key), findings)
    if shape is None:
        return
    _check_ids(path, shape, fields, findings)
    if shape.container is not None:
        _check_container(path, shape, shape.container, fields, findings)


def _check_ids(path: Path, shape: Shape, fields: dict[str, Any], findings: Findings) -> None:
    for key in shape.required:
        if key in fields and fields[key] is None:
            findings.error((*path, key), "has no value")
    user, anonymous = fields.get("userId"), fields.get("anonymousId")
    if "userId" not in shape.required and user is None and anonymous is None:
        findings.error(path, "needs userId or anonymousId: whom is the message about?")
    if isinstance(anonymous, str) and _is_literal(anonymous):
        findings.warn(
            (*path, "anonymousId"), "is the same for every message; {generate: true} would make one up"
        )


def _check_container(
    path: Path, shape: Shape, container: str, fields: dict[str, Any], findings: Findings
) -> None:
    inside, custom = fields.get(container), fields.get("custom")
    known = inside if isinstance(inside, dict) else {}
    for key in ("custom", *sorted(shape.flat)):
        if key in fields and is_template(inside):
            findings.error(
                (*path, key), f"may be inside {container} too, which is a template; put both into a mapping"
            )
        elif key in fields and key in known and key != "custom":
            findings.error((*path, key), f"stands here and inside {container}; keep one of them")
    for name, sentence in clashes(shape, custom, known) if isinstance(custom, dict) else ():
        findings.error((*path, "custom", name), sentence)
    for name, kind in shape.typed.items():
        _check_value((*path, container, name), kind, known.get(name), findings)
        if name in shape.flat:
            _check_value((*path, name), kind, fields.get(name), findings)


def _check_value(path: Path, kind: Kind, value: Any, findings: Findings) -> None:
    """What is made from a message is checked when it is made."""
    if value is None:
        return
    if kind.inside and isinstance(value, dict):
        for name, one in kind.inside.items():
            _check_value((*path, name), one, value.get(name), findings)
    elif _is_literal(value) and kind.fit(value) is None:
        findings.error(path, f"expected {kind.expected}, got {shown(value)}")


def _is_literal(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_literal, value.values()))
    if isinstance(value, list):
        return all(map(_is_literal, value))
    return not (isinstance(value, str) and ("{{" in value or "{%" in value))
