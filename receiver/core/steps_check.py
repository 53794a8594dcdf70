"""What makes sense in the steps of a route: one kind each, names that differ, templates that compile.

Like `receiver.core.routes_check` it takes data of any shape.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from receiver.core.connections_check import check_use
from receiver.core.findings import Findings
from receiver.core.step_models import RESERVED_PROPERTIES, RESERVED_TRAITS, STEP_KINDS
from receiver.core.templates import OWN_NAMES, Kind, TemplateError, compile_value
from receiver.core.yaml_nodes import Path

MESSAGE_FIELDS = (
    *("type", "messageId", "userId", "anonymousId", "groupId", "previousId", "event", "name", "category"),
    *("properties", "traits", "context", "integrations", "channel", "version", "projectId"),
    *("timestamp", "originalTimestamp", "sentAt", "receivedAt"),
)
"""What Segment's messages have. Others may come; a name that is nearly one of these is probably a slip."""

_CALL_KEYS = {
    "track": ("properties", RESERVED_PROPERTIES, ("event", "properties", *RESERVED_PROPERTIES)),
    "identify": ("traits", RESERVED_TRAITS, ("traits", *RESERVED_TRAITS)),
}
"""Call → where its reserved fields may stand instead, those fields, and all that only this call has."""
_OBJECTS = ("properties", "traits", "context", "integrations")


def check_steps(path: Path, steps: Any, data: Mapping[str, Any], findings: Findings) -> None:
    """Note what is wrong with a list of steps."""
    names: list[str] = []
    for at, step in enumerate(steps if isinstance(steps, list) else ()):
        if not isinstance(step, dict):
            continue
        place = (*path, at)
        kinds = [kind for kind in STEP_KINDS if kind in step]
        _check_kind(place, step, kinds, findings)
        for kind in kinds:
            _check_inside((*place, kind), kind, step[kind], data, findings)
            _check_templates((*place, kind), kind, step[kind], names, findings)
        name = step.get("as", kinds[0] if kinds else None)
        if isinstance(name, str):
            _check_name(place, name, names, "as" in step, findings)


def _check_kind(path: Path, step: dict[str, Any], kinds: list[str], findings: Findings) -> None:
    if len(kinds) > 1:
        findings.error(path, f"a step does one thing: make a step of its own for each of {', '.join(kinds)}")
    elif not kinds and set(step) <= {"as", "timeout"}:
        findings.error(path, f"says nothing to do; it needs one of {', '.join(STEP_KINDS)}")


def _check_name(path: Path, name: str, names: list[str], is_written: bool, findings: Findings) -> None:
    if name not in names:
        names.append(name)
    elif is_written:
        findings.error((*path, "as"), f"another step of this route is called {name} already")
    else:
        findings.error(
            path, f"another step of this route is called {name} already; give this one a name with `as`"
        )


def _check_inside(path: Path, kind: str, step: Any, data: Mapping[str, Any], findings: Findings) -> None:
    if kind != "segment" or not isinstance(step, dict):
        return
    check_use((*path, "connection"), step.get("connection"), "tracking", data, findings)
    for key in _OBJECTS:
        if not isinstance(step.get(key), dict | None) and not _is_template(step.get(key)):
            findings.error((*path, key), "must be a mapping, or one template that makes an object")
    call = step.get("call")
    if isinstance(call, str) and call in _CALL_KEYS:
        _check_call(path, call, step, findings)


def _check_call(path: Path, call: str, step: dict[str, Any], findings: Findings) -> None:
    container, reserved, own = _CALL_KEYS[call]
    other = "identify" if call == "track" else "track"
    for key in step:
        if key in _CALL_KEYS[other][2] and key not in own:
            findings.error((*path, key), f"belongs to {other} calls; put it inside {container}, or remove it")
    if call == "track" and step.get("event") is None:
        findings.error((*path, "event"), "is required: a track call needs the name of the event")
    if step.get("userId") is None and step.get("anonymousId") is None:
        findings.error(path, "needs userId or anonymousId: whom is the message about?")
    inside = step.get(container)
    for key in reserved:
        if key in step and isinstance(inside, dict) and key in inside:
            findings.error((*path, key), f"stands here and inside {container}; keep one of them")
        elif key in step and _is_template(inside):
            findings.error(
                (*path, key), f"may be inside {container} too, which is a template; put both into a mapping"
            )


def _is_template(value: Any) -> bool:
    return isinstance(value, str) and "{{" in value


def _check_templates(path: Path, kind: str, step: Any, earlier: list[str], findings: Findings) -> None:
    for place, value, template_kind in _templates(path, kind, step):
        try:
            template = compile_value(value, kind=template_kind, where="")
        except TemplateError as error:
            findings.error(place, str(error))
            continue
        for name in sorted(template.steps - set(earlier)):
            findings.unknown(place, "no earlier step of this route is called", name, earlier)
        for name in sorted(template.names - set(MESSAGE_FIELDS) - set(OWN_NAMES)):
            close = get_close_matches(name, [*MESSAGE_FIELDS, *OWN_NAMES], n=1, cutoff=0.8)
            if close:
                findings.warn(place, f"messages rarely have a field {name}; did you mean {close[0]}?")


def _templates(path: Path, kind: str, step: Any) -> Iterator[tuple[Path, Any, Kind]]:
    """Every template of a step, where it stands, and what it makes."""
    if not isinstance(step, dict):
        return
    if kind == "http":
        yield from (((*path, "url"), value, "url") for value in [step.get("url")] if isinstance(value, str))
        headers = step.get("headers")
        for name, value in headers.items() if isinstance(headers, dict) else ():
            if isinstance(value, str):
                yield (*path, "headers", name), value, "header"
        yield from _leaves((*path, "json"), step.get("json"))
    elif kind == "segment":
        for key, value in step.items():
            if key in ("userId", "anonymousId") and value is not None:
                yield (*path, key), value, "id"
            elif key not in ("connection", "call"):
                yield from _leaves((*path, key), value)


def _leaves(path: Path, value: Any) -> Iterator[tuple[Path, Any, Kind]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves((*path, key), inner)
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _leaves((*path, at), inner)
    elif isinstance(value, str):
        yield path, value, "json"
