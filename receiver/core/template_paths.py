"""What a template says it reads: paths in its syntax tree, for errors that name them."""

from collections.abc import Iterator
from typing import Any

from jinja2 import nodes


def path_of(node: nodes.Node) -> list[Any] | None:
    """`a.b[0]["c"]` → ["a", "b", 0, "c"]; None if it is something else."""
    if isinstance(node, nodes.Name):
        return [node.name]
    key: Any
    if isinstance(node, nodes.Getattr):
        key = node.attr
    elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        key = node.arg.value
    else:
        return None
    rest = path_of(node.node)
    return None if rest is None else [*rest, key]


def label_of(node: nodes.Node) -> str:
    """How errors call an expression: its path, or the paths in it."""
    paths = list(dict.fromkeys(_paths(node)))
    if path_of(node) is not None:
        return paths[0]
    return f"an expression of {', '.join(paths)}" if paths else "an expression"


def _paths(node: nodes.Node) -> Iterator[str]:
    path = path_of(node)
    if path is not None:
        yield ".".join(map(str, path))
        return
    for inner in node.iter_child_nodes():
        yield from _paths(inner)
