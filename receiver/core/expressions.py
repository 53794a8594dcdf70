"""Expressions of templates without Jinja at run time, as long as they are paths, `default` and `required`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jinja2 import nodes

from receiver.core import sandbox
from receiver.core.sandbox import Names, Render, item
from receiver.core.template_filters import default, required
from receiver.core.template_paths import label_of, path_of


@dataclass(frozen=True, slots=True)
class Expression:
    """What stands between `{{` and `}}`."""

    render: Render
    label: str
    """How errors call it: its path, if it is one."""
    may_be_null: bool
    """Whether it ends in `default`, so that null is what the operator asked for."""


def expression_of(node: nodes.Expr) -> Expression:
    """The quick way where there is one, else Jinja's."""
    ends_in_default = isinstance(node, nodes.Filter) and node.name == "default"
    inner = node.node if isinstance(node, nodes.Filter) else node
    label = "an expression" if inner is None else label_of(inner)
    return Expression(_quick(node) or _named(label, sandbox.expression(node)), label, ends_in_default)


def _named(label: str, render: Render) -> Render:
    """What Python says of a value that does not fit names no path of the message."""

    def named(names: Names) -> Any:
        try:
            return render(names)
        except TypeError as error:
            raise TypeError(f"{label}: {error}") from error

    return named


def used_names(tree: nodes.Node) -> frozenset[str]:
    """The names a template looks up in the message, its own variables left out."""
    names = list(tree.find_all(nodes.Name))
    own = {"loop"}.union(name.name for name in names if name.ctx == "store")
    return frozenset(name.name for name in names) - own


def used_steps(tree: nodes.Node) -> frozenset[str]:
    """The names after `steps.`."""
    return frozenset(_step_names(tree))


def _step_names(tree: nodes.Node) -> Iterator[str]:
    for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
        path = path_of(node)
        if path is not None and len(path) == 2 and path[0] == "steps":
            yield str(path[1])


def _quick(node: nodes.Node) -> Render | None:
    if isinstance(node, nodes.Const):
        value = node.value
        return lambda _names: value
    if isinstance(node, nodes.Filter):
        return _quick_filter(node)
    path = path_of(node)
    return None if path is None else _walker(path)


def _quick_filter(node: nodes.Filter) -> Render | None:
    if node.name not in ("default", "required") or node.kwargs or len(node.args) > 1 or node.node is None:
        return None
    inner = _quick(node.node)
    argument = _quick(node.args[0]) if node.args else None
    if inner is None or (node.args and argument is None):
        return None
    if node.name == "required" and argument is not None:
        return _demanded(inner, argument)
    return _defaulted(inner, argument)


def _defaulted(inner: Render, argument: Render | None) -> Render:
    if argument is None:
        return lambda names: default(inner(names))
    return lambda names: default(inner(names), argument(names))


def _demanded(inner: Render, argument: Render) -> Render:
    return lambda names: required(inner(names), argument(names))


def _walker(path: list[Any]) -> Render:
    root, *keys = path
    if not keys:
        return lambda names: names.get(root)

    def walk(names: Names) -> Any:
        value = names.get(root)
        for key in keys:
            value = item(value, key)
        return value

    return walk
