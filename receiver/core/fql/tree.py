"""A statement as a tree. Nodes are told apart by identity, so that no comparison walks down a deep tree."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal as OneOf

Operator = OneOf["=", "!=", "<", "<=", ">", ">=", "in"]


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """Any part of a statement; `start` and `end` are its characters in it."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Literal(Node):
    """A text, number, bool or null."""

    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True, eq=False)
class Path(Node):
    """A field of the message."""

    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Several(Node):
    """`[a, b]`."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Call(Node):
    """`name( a, b )`."""

    name: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Comparison(Node):
    """`a = b`."""

    operator: Operator
    left: Node
    right: Node


@dataclass(frozen=True, slots=True, eq=False)
class Truth(Node):
    """`!!a`: whether it is boolean true."""

    inner: Node


@dataclass(frozen=True, slots=True, eq=False)
class Not(Node):
    """`!a`."""

    inner: Node


@dataclass(frozen=True, slots=True, eq=False)
class And(Node):
    """`a and b and c`."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Or(Node):
    """`a or b or c`."""

    parts: tuple[Node, ...]


def children(node: Node) -> tuple[Node, ...]:
    """What a node is made of, from left to right."""
    match node:
        case And(parts=inner) | Or(parts=inner) | Several(items=inner) | Call(args=inner):
            return inner
        case Not(inner=one) | Truth(inner=one):
            return (one,)
        case Comparison(left=left, right=right):
            return (left, right)
    return ()


def inside_out(root: Node) -> Iterator[Node]:
    """Every node after all that it is made of, without recursion."""
    order, left = [], [root]
    while left:
        node = left.pop()
        order.append(node)
        left.extend(children(node))
    return reversed(order)
