"""Writes the parts of the documentation that follow from the code: `python -m receiver.core.reference`.

Run it in the project's folder after a change to a model or a setting; a test fails while the pages differ.
Text around the generated parts is written by hand and stays.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from receiver.core.routes_file import json_schema
from receiver.core.settings import described

_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_TYPES = {
    "boolean": "`true` or `false`",
    "integer": "whole number",
    "number": "number",
    "object": "mapping",
}
_PLACES = {
    "FileKeys": "Top level",
    "SourceKeys": "`sources.<name>`",
    "VerifySegmentKeys": "`sources.<name>.verify`, scheme `segment`",
    "VerifyHeaderKeys": "`sources.<name>.verify`, scheme `header`",
    "VerifyBasicKeys": "`sources.<name>.verify`, scheme `basic`",
    "VerifyBearerKeys": "`sources.<name>.verify`, scheme `bearer`",
    "VerifyHmacKeys": "`sources.<name>.verify`, scheme `hmac`",
    "VerifyStandardWebhooksKeys": "`sources.<name>.verify`, scheme `standard-webhooks`",
    "VerifyNoneKeys": "`sources.<name>.verify`, scheme `none`",
    "ConnectionKeys": "`connections.<name>`",
    "RegionUrls": "`connections.<name>.region`, as a mapping",
    "RouteKeys": "`routes.<name>`",
    "StepKeys": "`routes.<name>.steps[]`",
    "HttpKeys": "`http`",
    "AuthKeys": "`http.auth`",
    "BasicAuthKeys": "`http.auth.basic`",
    "BearerAuthKeys": "`http.auth.bearer`",
    "HeaderAuthKeys": "`http.auth.header`",
    "SignKeys": "`http.sign`",
    "ProfileKeys": "`profile`",
    "IdentifyKeys": "`segment`, call `identify`",
    "TrackKeys": "`segment`, call `track`",
    "PageKeys": "`segment`, call `page`",
    "ScreenKeys": "`segment`, call `screen`",
    "GroupKeys": "`segment`, call `group`",
    "AliasKeys": "`segment`, call `alias`",
    "BatchKeys": "`segment`, call `batch`",
    "ApiKeys": "`segment`, call `api`",
    "GenerateKeys": "`anonymousId`, as a mapping",
    "AddressKeys": "`address`",
    "CompanyKeys": "`company`",
    "RqKeys": "`rq`",
    "ActionKeys": "`transform[]`",
    "SampleKeys": "`transform[].sample`",
}
"""Where each model stands in the file, in the order of the page."""


def pages(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every generated file below `folder`, and what should be in it."""
    yield folder / "routes.schema.json", json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
    for name in ("routes.md", "settings.md"):
        path = folder / name
        yield path, _PART.sub(_filled, path.read_text(encoding="utf-8"))


def _filled(match: re.Match[str]) -> str:
    return f"{match[1]}\n{_PARTS[match[2]]()}\n{match[3]}"


def keys() -> str:
    """One table a mapping of routes.yaml."""
    schema = json_schema()
    models = {"FileKeys": schema, **schema["$defs"]}
    return "\n".join(_section(place, models[name]) for name, place in _PLACES.items())


def settings() -> str:
    """The environment variables."""
    return _table(
        ("variable", "default", "meaning"), [(f"`{n}`", _code(d), what) for n, d, what in described()]
    )


_PARTS: dict[str, Callable[[], str]] = {"keys": keys, "settings": settings}


def _section(place: str, model: dict[str, Any]) -> str:
    rows = [
        (f"`{key}`", _kind(value), _default(key, value, model), value["description"])
        for key, value in model["properties"].items()
    ]
    about = " ".join(model["description"].split())
    return f"### {place}\n\n{about}\n\n" + _table(("key", "value", "default", "meaning"), rows)


def _default(key: str, value: dict[str, Any], model: dict[str, Any]) -> str:
    if key in model.get("required", ()):
        return "required"
    default = value.get("default")
    return (
        _code(default if isinstance(default, str) else json.dumps(default))
        if default not in (None, {})
        else ""
    )


def _kind(schema: dict[str, Any]) -> str:
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return " or ".join(dict.fromkeys(map(_kind, choices)))
    if "const" in schema or "enum" in schema:
        return " or ".join(f"`{_literal(value)}`" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    if schema.get("type") == "string":
        return "text" + (f" such as `{schema['examples'][0]}`" if "examples" in schema else "")
    return _TYPES.get(schema.get("type", ""), "mapping" if "$ref" in schema else "template")


def _literal(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def main() -> None:
    """Rewrite the pages below docs/."""
    for path, text in pages(Path("docs")):
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
