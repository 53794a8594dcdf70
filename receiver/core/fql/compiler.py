"""A tree to closures: one a node, each taking the message. What is common has a quicker one of its own."""

import operator
from collections.abc import Callable
from typing import Any

from receiver.core.fql.advice import advice
from receiver.core.fql.closures import Evaluate, Message, all_of, any_of
from receiver.core.fql.functions import FUNCTIONS, glob_of
from receiver.core.fql.parser import parse
from receiver.core.fql.predicate import Predicate
from receiver.core.fql.tree import (
    And,
    Call,
    Comparison,
    Literal,
    Node,
    Not,
    Or,
    Path,
    Several,
    Truth,
    children,
    inside_out,
)
from receiver.core.fql.values import equal, is_number

_ORDERINGS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_LONGEST_INDEX = 9
"""Digits of an index beyond which no list reaches."""


def compile_fql(text: str) -> Predicate:
    """Make a statement ready to be asked of messages. Raises FqlError."""
    root, mixed = parse(text)
    made: dict[Node, Evaluate] = {}
    for node in inside_out(root):
        made[node] = _compiled(node, [made[inner] for inner in children(node)])
    return Predicate(text=text, root=root, made=made, warnings=(*mixed, *advice(root)))


def _compiled(node: Node, inner: list[Evaluate]) -> Evaluate:
    """The closure of a node from those of what it is made of."""
    match node:
        case Literal(value=value):
            return lambda _message: value
        case Path(steps=steps):
            return _path(steps)
        case Several():
            return lambda message: [item(message) for item in inner]
        case Call():
            return _call(node, inner)
        case Comparison():
            return _comparison(node, inner[0], inner[1])
        case And():
            return all_of(inner)
        case Or():
            return any_of(inner)
        case Not():
            return _not(inner[0])
        case Truth():
            return all_of(inner)
    raise TypeError(f"{node!r} is no node of FQL")


def _path(steps: tuple[str, ...]) -> Evaluate:
    root, *rest = steps
    if any(step.isascii() and step.isdigit() for step in rest):
        return _indexing_path(root, rest)
    if not rest:
        return lambda message: message.get(root)
    if len(rest) == 1:
        return _path_of_two(root, rest[0])

    def walk(message: Message) -> Any:
        value = message.get(root)
        for step in rest:
            if not isinstance(value, dict):
                return None
            value = value.get(step)
        return value

    return walk


def _path_of_two(root: str, step: str) -> Evaluate:
    def look(message: Message) -> Any:
        value = message.get(root)
        return value.get(step) if isinstance(value, dict) else None

    return look


def _indexing_path(root: str, rest: list[str]) -> Evaluate:
    """A step of digits is an index where it meets a list, and a name where it meets an object."""
    steps = [(step, _index(step)) for step in rest]

    def walk(message: Message) -> Any:
        value = message.get(root)
        for step, index in steps:
            if isinstance(value, dict):
                value = value.get(step)
            elif isinstance(value, list) and index is not None and index < len(value):
                value = value[index]
            else:
                return None
        return value

    return walk


def _index(step: str) -> int | None:
    if not (step.isascii() and step.isdigit()):
        return None
    digits = step.lstrip("0") or "0"
    return int(digits) if len(digits) <= _LONGEST_INDEX else None


def _call(node: Call, inner: list[Evaluate]) -> Evaluate:
    apply = FUNCTIONS[node.name].apply
    if node.name == "match" and isinstance(node.args[1], Literal) and isinstance(node.args[1].value, str):
        return _match(inner[0], node.args[1].value)
    if len(inner) == 1:
        one = inner[0]
        return lambda message: apply(one(message))
    return lambda message: apply(*[argument(message) for argument in inner])


def _match(text: Evaluate, pattern: str) -> Evaluate:
    glob = glob_of(pattern)
    if glob is None:
        return lambda _message: False
    fits = glob.match

    def matches(message: Message) -> bool:
        value = text(message)
        return isinstance(value, str) and fits(value)

    return matches


def _comparison(node: Comparison, left: Evaluate, right: Evaluate) -> Evaluate:
    match node:
        case Comparison(operator="in", right=Several(items=items)) if items and all(map(_is_text, items)):
            return _among(left, frozenset(item.value for item in items if isinstance(item, Literal)))
        case Comparison(operator="in"):
            return _in(left, right)
        case Comparison(operator="=", right=Literal(value=value)):
            return _equals(left, value)
        case Comparison(operator="="):
            return lambda message: equal(left(message), right(message))
        case Comparison(operator="!=", right=Literal(value=value)):
            same = _equals(left, value)
            return lambda message: not same(message)
        case Comparison(operator="!="):
            return lambda message: not equal(left(message), right(message))
        case Comparison(right=Literal(value=value)) if is_number(value):
            return _ordered_by_number(_ORDERINGS[node.operator], left, value)
    return _ordered(_ORDERINGS[node.operator], left, right)


def _is_text(node: Node) -> bool:
    return isinstance(node, Literal) and isinstance(node.value, str)


def _among(left: Evaluate, texts: frozenset[Any]) -> Evaluate:
    def among(message: Message) -> bool:
        value = left(message)
        return isinstance(value, str) and value in texts

    return among


def _in(left: Evaluate, right: Evaluate) -> Evaluate:
    def found(message: Message) -> bool:
        value, among = left(message), right(message)
        return isinstance(among, list) and any(equal(value, item) for item in among)

    return found


def _equals(left: Evaluate, value: Any) -> Evaluate:
    """To a literal, whose type says what kind of comparison is enough."""
    if value is None or isinstance(value, bool):
        return lambda message: left(message) is value
    if isinstance(value, str):
        return lambda message: bool(left(message) == value)

    def equals(message: Message) -> bool:
        found = left(message)
        return is_number(found) and bool(found == value)

    return equals


def _ordered(test: Callable[[Any, Any], bool], left: Evaluate, right: Evaluate) -> Evaluate:
    def ordered(message: Message) -> bool:
        one, other = left(message), right(message)
        return is_number(one) and is_number(other) and test(one, other)

    return ordered


def _ordered_by_number(test: Callable[[Any, Any], bool], left: Evaluate, value: Any) -> Evaluate:
    def ordered(message: Message) -> bool:
        found = left(message)
        kind = type(found)
        return (kind is int or kind is float) and test(found, value)

    return ordered


def _not(inner: Evaluate) -> Evaluate:
    return lambda message: inner(message) is not True
