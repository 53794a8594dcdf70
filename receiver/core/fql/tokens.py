"""A statement cut into tokens, by the lexical rules of Segment's own lexer and the choices of docs/fql.md."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from receiver.core.fql.errors import FqlError

MOST_DIGITS = 4_000
"""Digits of an integer that is kept exact; Python itself reads 4,300. Longer ones become floats."""


class Kind(Enum):
    """What sort of token it is."""

    NAME = "a name"
    VALUE = "a value"
    KEYWORD = "a keyword"
    SIGN = "a sign"
    END = "the end"


@dataclass(frozen=True, slots=True)
class Token:
    """One token; `start` and `end` are its characters in the statement."""

    kind: Kind
    value: Any
    """A name without its escapes, the value of a literal, or the text of a keyword or sign."""
    start: int
    end: int


_SPACE = re.compile(r"[ \t\n\r]*")
_STRING = re.compile(r"""'[^']*'|"[^"]*\"""")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_NAME = re.compile(r"(?:[A-Za-z_]|\\.)(?:[A-Za-z0-9_-]|\\.)*", re.DOTALL)
_NAME_AFTER_DOT = re.compile(r"(?:[A-Za-z0-9_-]|\\.)+", re.DOTALL)
_SIGN = re.compile(r"!=|<=|>=|[!=<>()\[\],.]")
_OF_A_WORD = re.compile(r"[A-Za-z0-9_.\\]")
"""What must not follow a number."""
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)

_CONSTANTS = {"true": True, "false": False, "null": None}
_KEYWORDS = ("and", "or", "in")
_FOREIGN = {"&&": "and", "||": "or", "==": "=", "<>": "!="}
"""Operators of other languages, and what FQL has in their place."""


def tokens(statement: str) -> Iterator[Token]:
    """All of them, END last. Raises FqlError."""
    at, after_dot = _space(statement, 0), False
    while at < len(statement):
        token = _token(statement, at, after_dot=after_dot)
        yield token
        after_dot = token.kind is Kind.SIGN and token.value == "."
        at = _space(statement, token.end)
    yield Token(Kind.END, "", len(statement), len(statement))


def number(digits: str) -> int | float:
    """The number that a text of digits with at most one point means."""
    if "." in digits or len(digits) > MOST_DIGITS:
        return float(digits)
    return int(digits)


def _space(statement: str, at: int) -> int:
    found = _SPACE.match(statement, at)
    return found.end() if found else at


def _token(statement: str, at: int, *, after_dot: bool) -> Token:
    name = (_NAME_AFTER_DOT if after_dot else _NAME).match(statement, at)
    if name:
        return _word(name, after_dot=after_dot)
    char = statement[at]
    if char in "'\"":
        return _string(statement, at)
    if char in "+-0123456789":
        return _number(statement, at)
    foreign = _FOREIGN.get(statement[at : at + 2])
    if foreign:
        raise FqlError(f"FQL writes {foreign} for {statement[at : at + 2]}", statement, at)
    sign = _SIGN.match(statement, at)
    if sign:
        return Token(Kind.SIGN, sign[0], sign.start(), sign.end())
    raise _strange(statement, at)


def _word(found: re.Match[str], *, after_dot: bool) -> Token:
    text = found[0]
    if not after_dot and text in _CONSTANTS:
        return Token(Kind.VALUE, _CONSTANTS[text], found.start(), found.end())
    if not after_dot and text in _KEYWORDS:
        return Token(Kind.KEYWORD, text, found.start(), found.end())
    return Token(Kind.NAME, _ESCAPE.sub(r"\1", text), found.start(), found.end())


def _string(statement: str, at: int) -> Token:
    found = _STRING.match(statement, at)
    if not found:
        raise FqlError(f"the text that begins here lacks its closing {statement[at]}", statement, at)
    return Token(Kind.VALUE, found[0][1:-1], found.start(), found.end())


def _number(statement: str, at: int) -> Token:
    found = _NUMBER.match(statement, at)
    if not found:
        reason = "a sign stands right before the digits of a number; FQL has no arithmetic"
        raise FqlError(reason, statement, at)
    if _OF_A_WORD.match(statement, found.end()):
        reason = "a number has digits and at most one point between them, and ends before the next word"
        raise FqlError(reason, statement, found.end())
    return Token(Kind.VALUE, number(found[0]), found.start(), found.end())


def _strange(statement: str, at: int) -> FqlError:
    char = statement[at]
    if char == "\\":
        return FqlError("the statement ends with a lone \\", statement, at)
    hint = f"; in the name of a field write \\{char}" if char.isprintable() else ""
    return FqlError(f"{char!r} has no meaning here{hint}", statement, at)
