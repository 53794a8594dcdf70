"""What makes sense in the steps of a route: one kind each, names that differ, templates that compile.

Like `receiver.core.routes_check` it takes data of any shape.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from receiver.core.environ_check import (
    check_header_values,
    check_redis_urls,
    check_variables,
    check_webhook_keys,
)
from receiver.core.findings import Findings
from receiver.core.fql_check import check_fql
from receiver.core.message import SEGMENT_FIELDS
from receiver.core.steps import KINDS, transform
from receiver.core.steps.base import Place, SharedKeys
from receiver.core.templates import OWN_NAMES, Kind, TemplateError, compile_value
from receiver.core.yaml_nodes import Path

_CHECKS = {
    "header_env": check_header_values,
    "redis_env": check_redis_urls,
    "webhook_env": check_webhook_keys,
}
"""What else the values of environment variables must be."""
_BESIDE = {field.alias or name for name, field in SharedKeys.model_fields.items()}


@dataclass(frozen=True, slots=True)
class _Scope:
    """What the checks of one route know."""

    every: tuple[str, ...]
    """Names of all its steps."""
    earlier: list[str]
    """Names of the steps before the one that is looked at."""
    made: set[str]
    """Top-level fields that those steps have set."""
    environ: Mapping[str, str]
    findings: Findings

    def check_used(self, path: Path, names: Iterable[str]) -> None:
        """Note the steps that a template or condition reads, and that have not run by then."""
        for name in sorted(set(names).difference(self.earlier)):
            if name in self.every:
                said = f"step {name} has no output yet: it is this step itself, or a later one"
                self.findings.error(path, said)
            elif longer := next((one for one in sorted(self.earlier) if one.startswith(f"{name}-")), None):
                said = f"did you mean {longer}? `-` is minus in a template: write steps['{longer}']"
                self.findings.error(path, f"no earlier step of this route is called {name}; {said}")
            else:
                self.findings.unknown(path, "no earlier step of this route is called", name, self.earlier)


def check_steps(
    path: Path, steps: Any, data: Mapping[str, Any], environ: Mapping[str, str], findings: Findings
) -> None:
    """Note what is wrong with a list of steps."""
    mappings = [(at, step) for at, step in enumerate(_list(steps)) if isinstance(step, dict)]
    every = tuple(name for _, step in mappings if (name := _name(step)) is not None)
    scope = _Scope(every, [], set(), environ, findings)
    ended_by: str | None = None
    for at, step in mappings:
        place = (*path, at)
        if ended_by is not None:
            findings.warn(place, f"never runs: {ended_by} drops every message")
        elif "when" not in step and transform.drops_all(step.get("transform")):
            ended_by = _name(step)
        kinds = [kind for kind in KINDS if kind in step]
        _check_kind(place, step, kinds, findings)
        _check_condition((*place, "when"), step.get("when"), scope)
        for kind in kinds:
            KINDS[kind].check((*place, kind), step[kind], data, findings)
            for found in KINDS[kind].templates((*place, kind), step[kind]):
                _check_place(found, scope)
        scope.made.update(transform.fields_set(step.get("transform")))
        name = _name(step)
        if name is not None:
            _check_name(place, name, scope.earlier, "as" in step, findings)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _name(step: dict[str, Any]) -> str | None:
    name = step.get("as", next((kind for kind in KINDS if kind in step), None))
    return name if isinstance(name, str) else None


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


def _check_condition(path: Path, text: Any, scope: _Scope) -> None:
    predicate = check_fql(path, text, scope.findings)
    if predicate is not None:
        scope.check_used(path, (names[1] for names in predicate.paths if names[0] == "steps" and names[1:]))


def _check_place(found: Place, scope: _Scope) -> None:
    place, value, meaning = found
    match meaning:
        case "fql":
            _check_condition(place, value, scope)
        case "env" | "header_env" | "redis_env" | "webhook_env":
            check_variables(place, value, scope.environ, scope.findings)
            check_value = _CHECKS.get(meaning)
            if check_value is not None:
                check_value(place, value, scope.environ, scope.findings)
        case _:
            _check_template(place, value, meaning, scope)


def _check_template(place: Path, value: Any, kind: Kind, scope: _Scope) -> None:
    try:
        template = compile_value(value, kind=kind, where="")
    except TemplateError as error:
        scope.findings.error(place, str(error))
        return
    scope.check_used(place, template.steps)
    for name in sorted(template.names.difference(SEGMENT_FIELDS, OWN_NAMES, scope.made)):
        close = get_close_matches(name, [*SEGMENT_FIELDS, *OWN_NAMES], n=1, cutoff=0.8)
        meant = close[0] if close else f"properties.{name} or traits.{name}"
        scope.findings.warn(place, f"messages rarely have a field {name}; did you mean {meant}?")
