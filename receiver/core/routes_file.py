"""routes.yaml from text to `Config`: read, checked in every respect, and only then built.

Environment variables are looked up by the names the file gives; their values are never put into its text.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import NullableSchema

from receiver.core.errors import ConfigError, Problem
from receiver.core.findings import Finding, Findings, mappings
from receiver.core.routes import Config
from receiver.core.routes_build import build
from receiver.core.routes_check import check
from receiver.core.routes_models import FileKeys
from receiver.core.routes_shape import shaped
from receiver.core.yaml_nodes import Node, key_path, read


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A text that was found good. Who starts a process by it hands on the text: the file may change."""

    text: str
    config: Config


def load(path: FilePath, environ: Mapping[str, str]) -> Config:
    """Read the file; raises ConfigError with all problems."""
    return loaded(path, environ).config


def loaded(path: FilePath, environ: Mapping[str, str]) -> Loaded:
    """`load`, and the text it was."""
    text = text_of(path)
    return Loaded(text=text, config=parse(text, file=str(path), environ=environ))


def text_of(path: FilePath) -> str:
    """What stands in the file; raises ConfigError."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError([Problem(str(path), None, "", "there is no such file")]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([Problem(str(path), None, "", f"cannot be read: {error}")]) from None


def parse(text: str, *, file: str, environ: Mapping[str, str]) -> Config:
    """Check and build the text of a routes.yaml; `file` is its name in problems. Raises ConfigError."""
    root, problems = read(text, file=file)
    data = {
        key: value for key, value in root.plain().items() if not key.startswith("x-") and value is not None
    }
    findings = Findings()
    keys = shaped(data, findings)
    check(data, environ, findings)
    problems += _placed(findings.errors, root, file)
    if problems or keys is None:
        raise ConfigError(sorted(problems, key=lambda problem: problem.line or 0))
    version = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:12]
    config = build(keys, environ, version, tuple(_placed(findings.warnings, root, file)))
    return replace(config, steps_at=_steps_at(config, root, file))


def handlers_in(text: str, *, file: str) -> list[Problem]:
    """Where each handler is named, also in a file with mistakes: problems with its name as their message."""
    try:
        root, _ = read(text, file=file)
    except ConfigError:
        return []
    found = []
    for name, route in mappings(root.plain().get("routes")):
        steps = route.get("steps")
        for index, step in enumerate(steps if isinstance(steps, list) else ()):
            target = step.get("handler") if isinstance(step, dict) else None
            if isinstance(target, str):
                path = ("routes", name, "steps", index, "handler")
                found.append(Problem(file, root.line_of(path), key_path(path), target))
    return found


def json_schema() -> dict[str, Any]:
    """JSON Schema of routes.yaml, for editors that complete and explain its keys."""
    schema = FileKeys.model_json_schema(schema_generator=_Schema)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Hookyard's routes.yaml",
    }


class _Schema(GenerateJsonSchema):
    """What a person may write: no null where only a left-out key is meant, no titles that repeat the key."""

    def nullable_schema(self, schema: NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: Any) -> JsonSchemaValue:
        made = super().default_schema(schema)
        if made.get("default", ...) is None:
            del made["default"]
        return made

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _steps_at(config: Config, root: Node, file: str) -> dict[tuple[str, str], Problem]:
    """Where each step stands, for what turns out later: (route, step) → a problem without words."""
    places = {}
    for route in config.routes.values():
        for index, step in enumerate(route.steps):
            path = ("routes", route.name, "steps", index)
            places[route.name, step.name] = Problem(file, root.line_of(path), key_path(path), "")
    return places


def _placed(findings: Iterable[Finding], root: Node, file: str) -> list[Problem]:
    """Findings with their lines, without those about a value that could not even be read."""
    placed = []
    for finding in findings:
        line = root.line_of(finding.path)
        if line is not None:
            placed.append(Problem(file, line, key_path(finding.path), finding.message))
    return placed
