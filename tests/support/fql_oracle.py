"""A second FQL, slow and plain: what a statement means, read off the language's tables.

It shares nothing with `receiver.core.fql`. A statement is a tree of tuples whose first item says what it is:

    ("value", 5)  ("field", ["properties", "a b"])  ("list", [...])  ("call", "length", [...])
    ("compare", "=", a, b)  ("not", a)  ("and", [a, b])  ("or", [a, b])
"""

import json
import re
from decimal import Decimal
from typing import Any

Tree = tuple[Any, ...]


def evaluate(tree: Tree, message: dict[str, Any]) -> Any:
    """The value of a statement."""
    what = tree[0]
    if what == "value":
        return tree[1]
    if what == "field":
        return field(tree[1], message)
    if what == "list":
        return [evaluate(item, message) for item in tree[1]]
    if what == "call":
        return globals()[f"_{tree[1]}"](*[evaluate(argument, message) for argument in tree[2]])
    if what == "compare":
        return compare(tree[1], evaluate(tree[2], message), evaluate(tree[3], message))
    if what == "not":
        return evaluate(tree[1], message) is not True
    values = [evaluate(part, message) for part in tree[1]]
    if what == "and":
        return all(value is True for value in values)
    return any(value is True for value in values)


def field(names: list[str], value: Any) -> Any:
    for name in names:
        if type(value) is dict and name in value:
            value = value[name]
        elif type(value) is list and re.fullmatch("[0-9]+", name) and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def kind(value: Any) -> str:
    if value is None:
        return "null"
    if value is True or value is False:
        return "bool"
    for name, types in (("number", (int, float)), ("string", str), ("list", list)):
        if isinstance(value, types):
            return name
    return "object"


def same(a: Any, b: Any) -> bool:
    if kind(a) != kind(b):
        return False
    if kind(a) == "list":
        return len(a) == len(b) and all(same(a[at], b[at]) for at in range(len(a)))
    if kind(a) == "object":
        return list(a.keys()) == list(b.keys()) and all(same(a[name], b[name]) for name in a)
    return bool(a == b)


def compare(operator: str, a: Any, b: Any) -> bool:
    if operator == "=":
        return same(a, b)
    if operator == "!=":
        return not same(a, b)
    if operator == "in":
        return kind(b) == "list" and any(same(a, item) for item in b)
    if kind(a) != "number" or kind(b) != "number":
        return False
    return bool({"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[operator])


def _contains(text: Any, part: Any) -> bool:
    return kind(text) == kind(part) == "string" and any(
        text[at : at + len(part)] == part for at in range(len(text) + 1)
    )


def _match(text: Any, pattern: Any) -> bool:
    if not kind(text) == kind(pattern) == "string":
        return False
    parts = glob(pattern)
    return parts is not None and fits(parts, text)


def glob(pattern: str) -> list[Any] | None:
    """Each part of a pattern: `*`, or (the characters it takes as ranges, negated). None: malformed."""
    parts: list[Any] = []
    while pattern:
        char, pattern = pattern[0], pattern[1:]
        if char == "*":
            parts.append("*")
        elif char == "?":
            parts.append(([], True))
        elif char == "[":
            found = re.match(r"(\^?)((?:(?:[^\]\\-]|\\.)(?:-(?:[^\]\\-]|\\.))?)+)\]", pattern, re.DOTALL)
            if not found:
                return None
            pairs = re.findall(r"(\\.|[^\\])(?:-(\\.|[^\\]))?", found[2], re.DOTALL)
            parts.append(([(low[-1], (high or low)[-1]) for low, high in pairs], bool(found[1])))
            pattern = pattern[found.end() :]
        elif char == "\\" and not pattern:
            return None
        else:
            char, pattern = (pattern[0], pattern[1:]) if char == "\\" else (char, pattern)
            parts.append(([(char, char)], False))
    return parts


def fits(parts: list[Any], text: str) -> bool:
    if not parts:
        return not text
    if parts[0] == "*":
        return any(fits(parts[1:], text[at:]) for at in range(len(text) + 1))
    ranges, negated = parts[0]
    taken = text != "" and any(low <= text[0] <= high for low, high in ranges) != negated
    return taken and fits(parts[1:], text[1:])


def _length(value: Any) -> int | None:
    if kind(value) == "string":
        return sum(1 + (ord(char) > 0x7F) + (ord(char) > 0x7FF) + (ord(char) > 0xFFFF) for char in value)
    if kind(value) == "list":
        return len(value)
    return 0 if value is None else None


def _lowercase(value: Any) -> Any:
    return value.lower() if kind(value) == "string" else None


def _uppercase(value: Any) -> Any:
    return value.upper() if kind(value) == "string" else None


def _snakecase(value: Any) -> Any:
    return re.sub(" ", "_", value) if kind(value) == "string" else None


def _kebabcase(value: Any) -> Any:
    return re.sub(" ", "-", value) if kind(value) == "string" else None


def _titlecase(value: Any) -> Any:
    if kind(value) != "string":
        return None
    return "".join(char.upper() if at == 0 or value[at - 1] == " " else char for at, char in enumerate(value))


def _typeof(value: Any) -> str:
    return kind(value)


def _bool(value: Any) -> bool:
    if kind(value) == "string":
        return not re.fullmatch("|0|[fF][aA][lL][sS][eE]", value)
    return value not in (None, False, 0, [], {})


def _string(value: Any) -> Any:
    if kind(value) in ("null", "string"):
        return value
    text = _json(value)
    return None if text == "null" else text


def _json(value: Any) -> str:
    if kind(value) == "number":
        return _digits(value)
    if kind(value) == "list":
        return f"[{','.join(_json(item) for item in value)}]"
    if kind(value) == "object":
        return "{" + ",".join(f"{_json(name)}:{_json(item)}" for name, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def _digits(value: int | float) -> str:
    if value in (float("inf"), float("-inf")):
        return "null"
    exact = Decimal(repr(value))
    if exact == exact.to_integral_value():
        return str(int(exact))
    return format(exact, "f")


def _number(value: Any) -> Any:
    if kind(value) == "string":
        if re.fullmatch(r"[+-]?[0-9]+", value):
            return int(value)
        return float(value) if re.fullmatch(r"[+-]?[0-9]+\.[0-9]+", value) else None
    return value if kind(value) == "number" else None


def _semver(a: Any, operator: Any, b: Any) -> bool:
    versions = []
    for text in (a, b):
        if kind(text) != "string" or not re.fullmatch(r"[0-9][^.]*(\.[0-9][^.]*){0,2}", text):
            return False
        found = [int(re.match("[0-9]+", part)[0]) for part in text.split(".")]  # type: ignore[index]
        versions.append([*found, 0, 0][:3])
    if operator not in ("=", "!=", "<", "<=", ">", ">="):
        return False
    one, other = versions
    return {
        "=": one == other,
        "!=": one != other,
        "<": one < other,
        "<=": one <= other,
        ">": one > other,
        ">=": one >= other,
    }[operator]
