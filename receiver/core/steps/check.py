"""What makes sense in the steps of a route: one kind each, names that differ, templates that compile.

Like `receiver.core.routes_check` it takes data of any shape.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from receiver.core.findings import Findings
from receiver.core.fql_check import check_fql
from receiver.core.steps import KINDS
from receiver.core.steps.base import Place, SharedKeys
from receiver.core.templates import OWN_NAMES, TemplateError, compile_value
from receiver.core.yaml_nodes import Path

MESSAGE_FIELDS = (
    *("type", "messageId", "userId", "anonymousId", "groupId", "previousId", "event", "name", "category"),
    *("properties", "traits", "context", "integrations", "channel", "version", "projectId"),
    *("timestamp", "originalTimestamp", "sentAt", "receivedAt"),
)
"""What Segment's messages have. Others may come; a name that is nearly one of these is probably a slip."""

_BESIDE = {field.alias or name for name, field in SharedKeys.model_fields.items()}


def check_steps(path: Path, steps: Any, data: Mapping[str, Any], findings: Findings) -> None:
    """Note what is wrong with a list of steps."""
    names: list[str] = []
    for at, step in enumerate(steps if isinstance(steps, list) else ()):
        if not isinstance(step, dict):
            continue
        place = (*path, at)
        kinds = [kind for kind in KINDS if kind in step]
        _check_kind(place, step, kinds, findings)
        _check_condition((*place, "when"), step.get("when"), names, findings)
        for kind in kinds:
            KINDS[kind].check((*place, kind), step[kind], data, findings)
            for found in KINDS[kind].templates((*place, kind), step[kind]):
                _check_place(found, names, findings)
        name = step.get("as", kinds[0] if kinds else None)
        if isinstance(name, str):
            _check_name(place, name, names, "as" in step, findings)


def _check_kind(path: Path, step: dict[str, Any], kinds: list[str], findings: Findings) -> None:
    if len(kinds) > 1:
        findings.error(path, f"a step does one thing: make a step of its own for each of {', '.join(kinds)}")
    elif not kinds and set(step) <= _BESIDE:
        findings.error(path, f"says nothing to do; it needs one of {', '.join(KINDS)}")


def _check_name(path: Path, name: str, names: list[str], is_written: bool, findings: Findings) -> None:
    if name not in names:
        names.append(name)
    elif is_written:
        findings.error((*path, "as"), f"another step of this route is called {name} already")
    else:
        findings.error(
            path, f"another step of this route is called {name} already; give this one a name with `as`"
        )


def _check_condition(path: Path, text: Any, earlier: list[str], findings: Findings) -> None:
    predicate = check_fql(path, text, findings)
    used = {names[1] for names in predicate.paths if names[0] == "steps" and names[1:]} if predicate else ()
    for name in sorted(used):
        if name not in earlier:
            findings.unknown(path, "no earlier step of this route is called", name, earlier)


def _check_place(found: Place, earlier: list[str], findings: Findings) -> None:
    place, value, kind = found
    if kind == "fql":
        _check_condition(place, value, earlier, findings)
        return
    try:
        template = compile_value(value, kind=kind, where="")
    except TemplateError as error:
        findings.error(place, str(error))
        return
    for name in sorted(template.steps - set(earlier)):
        findings.unknown(place, "no earlier step of this route is called", name, earlier)
    for name in sorted(template.names - set(MESSAGE_FIELDS) - set(OWN_NAMES)):
        close = get_close_matches(name, [*MESSAGE_FIELDS, *OWN_NAMES], n=1, cutoff=0.8)
        if close:
            findings.warn(place, f"messages rarely have a field {name}; did you mean {close[0]}?")
