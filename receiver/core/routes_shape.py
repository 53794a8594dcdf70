"""Checks the shape of routes.yaml against its models, and says what is wrong in words for people."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from types import NoneType
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from receiver.core.findings import Findings, suggestion
from receiver.core.routes_models import FileKeys
from receiver.core.routes_types import PATTERNS
from receiver.core.step_models import STEP_KINDS, StepKeys
from receiver.core.yaml_nodes import Path

_NOTES = ("<text>", "<list>", "<mapping>", "[key]")
_KINDS = {
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "a mapping",
}
_KINDS[NoneType] = "nothing"


def shaped(data: Mapping[str, Any], findings: Findings) -> FileKeys | None:
    """The file as models; None if its shape is wrong, with every problem noted."""
    try:
        return FileKeys.model_validate(data)
    except ValidationError as error:
        details = [(_path(detail), detail) for detail in error.errors(include_url=False)]
        meant = {_meant(path) for path, detail in details if detail["type"] == "extra_forbidden"}
        for path, detail in details:
            if detail["type"] != "missing" or path not in meant:
                findings.error(path, _message(detail, path))
        return None


def keys_at(path: Path) -> list[str]:
    """The keys that may stand in the mapping at `path`."""
    model: type[BaseModel] = FileKeys
    is_name = False
    for key in path:
        if is_name:
            is_name = False
            continue
        annotation = _fields(model).get(str(key))
        model = _model_in(annotation) or model
        is_name = _holds_many(annotation)
    return list(_fields(model))


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part)) is not None), None)


def _holds_many(annotation: Any) -> bool:
    return get_origin(annotation) in (dict, list)


def _path(detail: ErrorDetails) -> Path:
    """Without pydantic's notes on unions (`<list>`) and keys (`[key]`); an unknown key is never a note."""
    *above, last = detail["loc"]
    ends = [last] if detail["type"] == "extra_forbidden" or last not in _NOTES else []
    return (*(key for key in above if key not in _NOTES), *ends)


def _message(detail: ErrorDetails, path: Path) -> str:
    explain = _MESSAGES.get(detail["type"])
    return explain(detail, path) if explain else detail["msg"]


def _must_be(what: str) -> Callable[[ErrorDetails, Path], str]:
    def explain(detail: ErrorDetails, path: Path) -> str:
        value = detail["input"]
        found = _KINDS.get(type(value), "something else")
        shown = f"{found} ({value})" if isinstance(value, int | float) else found
        hint = ": quote it" if what == "text" and isinstance(value, int | float) else ""
        if what == "a list" and isinstance(value, str):
            hint = f": write [{value}]"
        return f"must be {what}, not {shown}{hint}"

    return explain


def _meant(path: Path) -> Path:
    """The key that a misspelled one stands for, which is then not missing as well."""
    close = get_close_matches(str(path[-1]), keys_at(path[:-1]), n=1)
    return (*path[:-1], *close)


def _unknown_key(detail: ErrorDetails, path: Path) -> str:
    key, known = str(path[-1]), keys_at(path[:-1])
    outside = len(path) > 1 and path[-2] in STEP_KINDS and key in _fields(StepKeys)
    return (
        f"unknown key; it belongs beside `{path[-2]}`" if outside else f"unknown key{suggestion(key, known)}"
    )


def _choice(detail: ErrorDetails, path: Path) -> str:
    expected = detail["ctx"]["expected"].replace("'", "")
    value = detail["input"]
    close = suggestion(value, expected.replace(" or ", ", ").split(", ")) if isinstance(value, str) else ""
    said = f"not {value}" if isinstance(value, str | int | float) else "not this"
    return f"must be {expected}, {said}" + (close if "mean" in close else "")


_MESSAGES: dict[str, Callable[[ErrorDetails, Path], str]] = {
    "missing": lambda detail, path: "is required",
    "extra_forbidden": _unknown_key,
    "literal_error": _choice,
    "string_type": _must_be("text"),
    "bool_type": _must_be("true or false"),
    "int_type": _must_be("a whole number"),
    "list_type": _must_be("a list"),
    "dict_type": _must_be("a mapping"),
    "model_type": _must_be("a mapping"),
    "model_attributes_type": _must_be("a mapping"),
    "union_tag_invalid": _must_be("text or a list"),
    "too_short": lambda detail, path: "must not be empty",
    "too_long": lambda detail, path: f"must not have more than {detail['ctx']['max_length']} entries",
    "greater_than_equal": lambda detail, path: f"must be at least {detail['ctx']['ge']}",
    "less_than_equal": lambda detail, path: f"must be at most {detail['ctx']['le']}",
    "string_pattern_mismatch": lambda detail, path: PATTERNS[detail["ctx"]["pattern"]],
    "value_error": lambda detail, path: str(detail["ctx"]["error"]),
}
