"""Writes the trees of `tests.support.fql_oracle` as statements, in one of the many ways there are."""

import json
import random
import re
from decimal import Decimal
from typing import Any

from tests.support.fql_oracle import Tree


def write(tree: Tree, chance: random.Random) -> str:
    """One of the ways to write a statement, with the white space and parentheses it needs and some more."""
    return _written(tree, 0, chance)


def _written(tree: Tree, place: int, chance: random.Random) -> str:
    """`place`: 0 where `or` may stand bare, 1 where `and` may, 2 where `!` and `=` may, 3 for operands."""
    what = tree[0]
    own = {"or": 0, "and": 1, "not": 2, "compare": 2}.get(what, 3)
    text = _bare(tree, chance)
    if own < place or chance.random() < 0.1:
        return f"({_gap(chance)}{text}{_gap(chance)})"
    return text


def _bare(tree: Tree, chance: random.Random) -> str:
    what = tree[0]
    if what == "value":
        return _literal(tree[1], chance)
    if what == "field":
        return ".".join(_name(name, at, chance) for at, name in enumerate(tree[1]))
    if what == "list":
        return f"[{_gap(chance)}{_several(tree[1], chance)}{_gap(chance)}]"
    if what == "call":
        return f"{tree[1]}{_gap(chance)}({_gap(chance)}{_several(tree[2], chance)}{_gap(chance)})"
    if what == "not":
        return f"!{_gap(chance)}{_written(tree[1], 3, chance)}"
    if what == "compare":
        around = " " if tree[1] == "in" else _gap(chance)
        left, right = (_written(side, 3, chance) for side in tree[2:])
        return f"{left}{around}{tree[1]}{around}{right}"
    return f" {what} ".join(_written(part, 1 if what == "or" else 2, chance) for part in tree[1])


def _several(trees: list[Tree], chance: random.Random) -> str:
    return f"{_gap(chance)},{_gap(chance)}".join(_written(tree, 3, chance) for tree in trees)


def _gap(chance: random.Random) -> str:
    return chance.choice(["", "", " ", "\n\t", "\r\n "])


def _literal(value: Any, chance: random.Random) -> str:
    if isinstance(value, str):
        quote = chance.choice([one for one in "'\"" if one not in value])
        return f"{quote}{value}{quote}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        digits = format(Decimal(repr(value)), "f")
        return digits if digits.startswith("-") else chance.choice(["", "+"]) + digits
    return json.dumps(value)


def _name(name: str, at: int, chance: random.Random) -> str:
    escaped = re.sub(r"([^A-Za-z0-9_-])", r"\\\1", name, flags=re.DOTALL)
    if at == 0 and (re.match("[0-9-]", name) or name in ("and", "or", "in", "true", "false", "null")):
        return f"\\{escaped}"
    return f"\\{escaped}" if chance.random() < 0.1 and not escaped.startswith("\\") else escaped
