"""Templates of routes.yaml: compiled when the file is read, filled from a message when a step runs.

A value that is one whole `{{ expression }}` keeps its type; anything else becomes text. A missing path is
null. Plain paths (`{{ properties.order_id }}`), which are nearly all there are, never enter Jinja when they
are filled: it would take most of the time of an outbound call.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from jinja2 import TemplateError as JinjaError
from jinja2 import nodes

from receiver.core import sandbox
from receiver.core.expressions import Expression, expression_of, used_names, used_steps
from receiver.core.sandbox import Names, Render
from receiver.core.sandbox import TemplateError as TemplateError
from receiver.core.template_filters import bounded, text

Kind = Literal["json", "url", "id", "header"]
"""Where the result goes, which decides what null means and how text is quoted."""

OWN_NAMES = ("steps", "message", "source", "now")
"""Hookyard's names in templates; they win over fields of the message."""

_MARKS = re.compile(r"\{[{%#]")
_ORIGIN = re.compile(r"https?://[^/?#\s@{}]+", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_FAILURES = (
    *(JinjaError, TypeError, ValueError, ArithmeticError, LookupError),
    *(AttributeError, NameError, RecursionError),
)
"""What an expression can raise on hostile values."""


@dataclass(frozen=True, slots=True)
class Template:
    """A value ready to be filled."""

    _render: Render
    names: frozenset[str] = frozenset()
    """The names it looks up."""
    steps: frozenset[str] = frozenset()
    """The earlier steps whose output it uses."""

    def render(self, names: Names) -> Any:
        """The value for these names; raises TemplateError when the message cannot fill it."""
        return self._render(names)


def names_of(data: Names, *, steps: Names, message: Names, source: str, now: str) -> dict[str, Any]:
    """The names of a template: the message's own fields, and Hookyard's, which win. `now` is ISO 8601."""
    return {**data, "steps": steps, "message": message, "source": source, "now": now}


def compile_value(template: Any, *, kind: Kind, where: str) -> Template:
    """Compile a value of routes.yaml: a text, or for `json` any structure of texts.

    `where` begins the messages of errors. Raises TemplateError. A `json` renders to any JSON value, an `id`
    to text (or None, if its expression ends in `default(none)`), the others to text.
    """
    if isinstance(template, Mapping) and kind == "json":
        return _mapping(
            {key: compile_value(value, kind=kind, where=f"{where}.{key}") for key, value in template.items()}
        )
    if isinstance(template, list) and kind == "json":
        return _sequence(
            [compile_value(value, kind=kind, where=f"{where}[{at}]") for at, value in enumerate(template)]
        )
    try:
        return _compile(template, kind, where)
    except (TemplateError, ValueError) as error:
        raise TemplateError(_said(where, str(error))) from None


def _compile(template: Any, kind: Kind, where: str) -> Template:
    if not isinstance(template, str):
        return _constant(template if kind == "json" else _FINISH[kind](_CONVERT[kind]("the value", template)))
    if not _MARKS.search(template):
        _check_literal(kind, [template])
        return _constant(_FINISH[kind](template))
    tree = sandbox.parse(template.strip())
    whole = _whole(tree) if kind in ("json", "id") else None
    if whole is None:
        tree = tree if template == template.strip() else sandbox.parse(template)
        render = _text(tree, kind)
    elif kind == "json":
        render = whole.render
    else:
        render = partial(_id, whole)
    return Template(_guarded(render, where), used_names(tree), used_steps(tree))


def _whole(tree: nodes.Template) -> Expression | None:
    """The expression of a template that is nothing else."""
    parts = _parts(tree)
    return parts[0] if parts and len(parts) == 1 and isinstance(parts[0], Expression) else None


def _parts(tree: nodes.Template) -> list[str | Expression] | None:
    """The literal texts and the expressions between them; None if there are statements."""
    found: list[str | Expression] = []
    for block in tree.body:
        if not isinstance(block, nodes.Output):
            return None
        for node in block.nodes:
            found.append(node.data if isinstance(node, nodes.TemplateData) else expression_of(node))
    return found


def _text(tree: nodes.Template, kind: Kind) -> Render:
    parts = _parts(tree)
    if parts is None:
        if kind != "json":
            raise TemplateError("there can be no {% … %} here; expressions may hold `a if b else c`")
        return sandbox.statements(tree)
    _check_literal(kind, parts)
    convert, finish = _CONVERT[kind], _FINISH[kind]

    def render(names: Names) -> str:
        made = [part if isinstance(part, str) else convert(part.label, part.render(names)) for part in parts]
        bounded(sum(map(len, made)))
        return finish("".join(made))

    return render


def _lenient(_label: str, value: Any) -> str:
    return text(value)


def _percent(label: str, value: Any) -> str:
    return quote(_scalar(label, value), safe="")


def _id(expression: Expression, names: Names) -> str | None:
    value = expression.render(names)
    if expression.may_be_null and (value is None or value == ""):
        return None
    return _finished_id(_number_or_text(expression.label, value))


def _scalar(label: str, value: Any) -> str:
    if value is None:
        raise TemplateError(f"{label} is null; give it a `default` or leave it out")
    if isinstance(value, list | dict):
        raise TemplateError(f"{label} is a {type(value).__name__}, not a text or a number")
    return text(value)


def _number_or_text(label: str, value: Any) -> str:
    if isinstance(value, bool):
        raise TemplateError(f"{label} is {text(value)}, not a text or a number")
    return _scalar(label, value)


def _finished_id(value: str) -> str:
    if not value:
        raise TemplateError("an id must not be empty")
    return value


def _finished_header(value: str) -> str:
    if _CONTROL.search(value):
        raise TemplateError("a header must not hold line breaks or other control characters")
    value.encode()
    return value


def _finished_url(value: str) -> str:
    """A message must not climb to another path: `..` is not touched by percent-encoding."""
    origin = _ORIGIN.match(value)
    path = re.split(r"[?#]", value[origin.end() if origin else 0 :])[0]
    if {".", ".."}.intersection(path.split("/")):
        raise TemplateError("its path holds `.` or `..`")
    return value


def _as_is(value: str) -> str:
    return value


_CONVERT: dict[Kind, Callable[[str, Any], str]] = {
    "json": _lenient,
    "url": _percent,
    "id": _number_or_text,
    "header": _scalar,
}
_FINISH: dict[Kind, Callable[[str], str]] = {
    "json": _as_is,
    "url": _finished_url,
    "id": _finished_id,
    "header": _finished_header,
}


def _check_literal(kind: Kind, parts: Sequence[str | Expression]) -> None:
    """Scheme and host of a URL are the operator's, never the message's."""
    if kind != "url":
        return
    first = parts[0] if parts and isinstance(parts[0], str) else ""
    origin = _ORIGIN.match(first)
    if origin is None:
        raise TemplateError(
            "a URL begins with http:// or https:// and a host, written out without a template"
        )
    after = first[origin.end() : origin.end() + 1]
    if after not in ("/", "?", "#") and (after or len(parts) > 1):
        raise TemplateError(
            "after the host of a URL comes `/`; user names and templates cannot be part of it"
        )
    if any(isinstance(part, str) and re.search(r"\s", part) for part in parts):
        raise TemplateError("a URL holds no spaces")
    try:
        _ = urlsplit(origin[0]).port
    except ValueError as error:
        raise TemplateError(str(error)) from None


def _guarded(render: Render, where: str) -> Render:
    """Everything that goes wrong while rendering is one error, which says where."""

    def guarded(names: Names) -> Any:
        try:
            return render(names)
        except (TemplateError, *_FAILURES) as error:
            raise TemplateError(_said(where, str(error) or type(error).__name__)) from error

    return guarded


def _said(where: str, message: str) -> str:
    return f"{where}: {message}" if where else message


def _constant(value: Any) -> Template:
    return Template(lambda _names: value)


def _mapping(parts: dict[str, Template]) -> Template:
    renders = [(key, part.render) for key, part in parts.items()]
    return _joined(lambda names: {key: render(names) for key, render in renders}, list(parts.values()))


def _sequence(parts: list[Template]) -> Template:
    renders = [part.render for part in parts]
    return _joined(lambda names: [render(names) for render in renders], parts)


def _joined(render: Render, parts: list[Template]) -> Template:
    names = frozenset[str]().union(*(part.names for part in parts))
    return Template(render, names, frozenset[str]().union(*(part.steps for part in parts)))
