"""Checks the shape of routes.yaml against its models, and says what is wrong in words for people."""

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from types import NoneType
from typing import Any, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError
from pydantic_core import ErrorDetails

from receiver.core.findings import Findings, suggestion
from receiver.core.routes_models import FileKeys
from receiver.core.routes_types import PATTERNS, branch_tag, unknown_branch
from receiver.core.segment.fields import CALLS
from receiver.core.steps import KINDS, StepKeys
from receiver.core.verify_options import SchemeName
from receiver.core.yaml_nodes import Path

_BRANCHES = {
    "scheme": get_args(SchemeName),
    "call": (*CALLS, "batch", "api"),
    "type": CALLS,
}
"""Keys that tell the branches of a union apart → what they may say."""
_TAGS = {branch_tag(key, name): f"{key} {name}" for key, names in _BRANCHES.items() for name in names}
_UNKNOWN = {unknown_branch(key): key for key in _BRANCHES}
_FORMS = {"<text>": "text", "<list>": "a list", "<mapping>": "a mapping"}
_NOTES = frozenset({*_FORMS, *_TAGS, "[key]"})
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
        meant = {_meant(path, detail) for path, detail in details if detail["type"] == "extra_forbidden"}
        for path, detail in details:
            if detail["type"] != "missing" or path not in meant:
                findings.error(path, _message(detail, path))
        return None


def keys_at(place: Sequence[str | int]) -> list[str]:
    """The keys that may stand in the mapping at `place`, which has pydantic's notes on unions in it."""
    model: type[BaseModel] = FileKeys
    annotation: Any = FileKeys
    is_name = False
    for key in place:
        if is_name:
            is_name = False
            continue
        annotation = _branch(annotation, key) if key in _NOTES else _fields(model).get(str(key))
        model = _model_in(annotation) or model
        is_name = _holds_many(annotation)
    return list(_fields(model))


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part)) is not None), None)


def _branch(annotation: Any, note: str | int) -> Any:
    """The part of a union with this tag."""
    if any(isinstance(one, Tag) and one.tag == note for one in getattr(annotation, "__metadata__", ())):
        return annotation.__origin__
    found = (_branch(part, note) for part in get_args(annotation))
    return next((part for part in found if part is not None), None)


def _holds_many(annotation: Any) -> bool:
    return get_origin(annotation) in (dict, list)


def _path(detail: ErrorDetails) -> Path:
    """Without pydantic's notes on unions (`<list>`) and keys (`[key]`); an unknown key is never a note."""
    *above, last = detail["loc"]
    ends = [last] if detail["type"] == "extra_forbidden" or last not in _NOTES else []
    if detail["type"] in _UNKNOWN:
        ends.append(_UNKNOWN[detail["type"]])
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


def _wrong_form(detail: ErrorDetails, path: Path) -> str:
    """For a value in a form that none of a union's branches has."""
    tags = detail["ctx"]["expected_tags"]
    forms = " or ".join(words for tag, words in _FORMS.items() if tag in tags)
    return _must_be(forms)(detail, path)


def _meant(path: Path, detail: ErrorDetails) -> Path:
    """The key that a misspelled one stands for, which is then not missing as well."""
    close = get_close_matches(str(path[-1]), keys_at(detail["loc"][:-1]), n=1)
    return (*path[:-1], *close)


def _unknown_key(detail: ErrorDetails, path: Path) -> str:
    key, known = str(path[-1]), keys_at(detail["loc"][:-1])
    branch = _branch_of(detail)
    if branch is not None:
        return f"{branch} has no such key" + suggestion(
            key, [name for name in known if name not in _BRANCHES]
        )
    outside = len(path) > 1 and path[-2] in KINDS and key in _fields(StepKeys)
    return (
        f"unknown key; it belongs beside `{path[-2]}`" if outside else f"unknown key{suggestion(key, known)}"
    )


def _branch_of(detail: ErrorDetails) -> str | None:
    """The branch of a union in whose mapping something is wrong: `scheme segment`."""
    above = detail["loc"][-2:-1]
    return _TAGS.get(str(above[0])) if above else None


def _missing(detail: ErrorDetails, path: Path) -> str:
    branch = _branch_of(detail)
    return "is required" if branch is None else f"is required by {branch}"


def _unknown_branch(detail: ErrorDetails, path: Path) -> str:
    given, key = detail["input"], _UNKNOWN[detail["type"]]
    names = list(_BRANCHES[key])
    choices = f"{', '.join(names[:-1])} or {names[-1]}"
    if key not in given:
        close = get_close_matches(key, given, n=1)
        return f"is required: {choices}" + (f"; did you mean it by {close[0]}?" if close else "")
    return _not_among(choices, given[key], names)


def _choice(detail: ErrorDetails, path: Path) -> str:
    expected = detail["ctx"]["expected"].replace("'", "").replace("True", "true")
    return _not_among(expected, detail["input"], expected.replace(" or ", ", ").split(", "))


def _not_among(expected: str, value: Any, names: list[str]) -> str:
    close = suggestion(value, names) if isinstance(value, str) else ""
    written = str(value).lower() if isinstance(value, bool) else value
    said = f"not {written}" if isinstance(value, str | int | float) else "not this"
    return f"must be {expected}, {said}" + (close if "mean" in close else "")


_MESSAGES: dict[str, Callable[[ErrorDetails, Path], str]] = {
    "missing": _missing,
    "extra_forbidden": _unknown_key,
    "literal_error": _choice,
    "string_type": _must_be("text"),
    "bool_type": _must_be("true or false"),
    "float_type": _must_be("a number"),
    "int_type": _must_be("a whole number"),
    "list_type": _must_be("a list"),
    "dict_type": _must_be("a mapping"),
    "model_type": _must_be("a mapping"),
    "model_attributes_type": _must_be("a mapping"),
    "union_tag_invalid": _wrong_form,
    **dict.fromkeys(_UNKNOWN, _unknown_branch),
    "too_short": lambda detail, path: "must not be empty",
    "too_long": lambda detail, path: f"must not have more than {detail['ctx']['max_length']} entries",
    "greater_than_equal": lambda detail, path: f"must be at least {detail['ctx']['ge']}",
    "less_than_equal": lambda detail, path: f"must be at most {detail['ctx']['le']}",
    "string_pattern_mismatch": lambda detail, path: PATTERNS[detail["ctx"]["pattern"]],
    "value_error": lambda detail, path: str(detail["ctx"]["error"]),
}
