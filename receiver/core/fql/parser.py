"""Tokens to a tree. A level of nesting costs three Python frames, and there are at most MAX_NESTING."""

from difflib import get_close_matches
from typing import cast

from receiver.core.fql.errors import FqlError
from receiver.core.fql.functions import FUNCTIONS
from receiver.core.fql.tokens import Kind, Token, tokens
from receiver.core.fql.tree import (
    And,
    Call,
    Comparison,
    Literal,
    Node,
    Not,
    Operator,
    Or,
    Path,
    Several,
    Truth,
)

MAX_BYTES = 5_120
"""Longest statement in UTF-8; Segment's limit is 5 KB."""
MAX_NESTING = 100
"""Most parentheses, lists and calls around one operand."""

_COMPARISONS = ("=", "!=", "<", "<=", ">", ">=", "in")
_MIXED = "and binds tighter than or here, elsewhere perhaps not: say with ( ) what belongs together"


def parse(statement: str) -> tuple[Node, list[str]]:
    """The tree of a statement, and what its writer should know. Raises FqlError."""
    if len(statement.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise FqlError(f"the statement is longer than {MAX_BYTES:,} bytes", statement, 0)
    parser = _Parser(statement)
    return parser.statement(), parser.warnings


class _Parser:
    def __init__(self, statement: str) -> None:
        self.warnings: list[str] = []
        self._statement = statement
        self._tokens = list(tokens(statement))
        self._at = 0
        self._nesting = 0

    def statement(self) -> Node:
        if len(self._tokens) == 1:
            raise self._wrong("the statement is empty")
        root = self._expression()
        if self._next.kind is not Kind.END:
            raise self._wrong(f"{self._shown()} cannot follow here; conditions are joined by and, or")
        return root

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _expression(self) -> Node:
        """Conditions joined by and, groups of them joined by or."""
        start = group_start = self._next.start
        groups: list[Node] = []
        group = [self._condition()]
        mixed = False
        while self._is("and") or self._is("or"):
            if self._accept("and"):
                group.append(self._condition())
                mixed = True
            else:
                groups.append(self._joined(And, group, group_start))
                self._at += 1
                group_start = self._next.start
                group = [self._condition()]
        last = self._joined(And, group, group_start)
        if groups and mixed and _MIXED not in self.warnings:
            self.warnings.append(_MIXED)
        return self._joined(Or, [*groups, last], start)

    def _joined(self, kind: type[And | Or], parts: list[Node], start: int) -> Node:
        """Up to the last token that was read."""
        return parts[0] if len(parts) == 1 else kind(start, self._last_end, tuple(parts))

    def _condition(self) -> Node:
        """An operand, a negated one, or two that are compared."""
        start, negations = self._next.start, 0
        while self._accept("!"):
            negations += 1
        left = self._operand()
        operator = self._comparison()
        if operator is None:
            wrapper = Not if negations % 2 else Truth
            return wrapper(start, self._last_end, left) if negations else left
        if negations:
            self._at -= 1
            raise self._wrong("! before a comparison can be read in two ways: write !( a = b )")
        right = self._operand()
        if self._comparison() is not None:
            self._at -= 1
            raise self._wrong("comparisons cannot be chained: write a < b and b < c")
        return Comparison(start, self._last_end, operator, left, right)

    def _operand(self) -> Node:
        token = self._next
        self._at += 1
        if token.kind is Kind.VALUE:
            return Literal(token.start, token.end, token.value)
        if token.kind is Kind.NAME:
            return self._path_or_call(token)
        if token.value == "(" and token.kind is Kind.SIGN:
            self._enter(token)
            inner = self._expression()
            self._leave(")", "and, or, a comparison or")
            return inner
        if token.value == "[" and token.kind is Kind.SIGN:
            self._enter(token)
            items = [] if self._is("]") else self._operands()
            self._leave("]", "a comma or")
            return Several(token.start, self._last_end, tuple(items))
        self._at -= 1
        raise self._wrong(f"a field, a value or a function is missing before {self._shown()}")

    def _operands(self) -> list[Node]:
        found = [self._operand()]
        while self._accept(","):
            found.append(self._operand())
        return found

    def _path_or_call(self, name: Token) -> Node:
        if self._is("("):
            return self._call(name)
        steps = [cast("str", name.value)]
        while self._accept("."):
            if self._next.kind is not Kind.NAME:
                raise self._wrong("the name of a field is missing after the point")
            steps.append(self._next.value)
            self._at += 1
        if self._is("("):
            raise self._wrong("fields have no functions: write contains( event, 'a' )")
        if self._is("["):
            raise self._wrong("items of a list are fields too: write items.0")
        return Path(name.start, self._last_end, tuple(steps))

    def _call(self, name: Token) -> Node:
        function = FUNCTIONS.get(name.value)
        if function is None:
            self._at -= 1
            close = get_close_matches(name.value, FUNCTIONS, n=1)
            others = f"did you mean {close[0]}?" if close else f"there are {', '.join(FUNCTIONS)}"
            raise self._wrong(f"there is no function {name.value}; {others}")
        self._enter(self._next)
        self._at += 1
        args = [] if self._is(")") else self._operands()
        self._leave(")", "a comma or")
        if len(args) != len(function.takes):
            reason = f"{name.value} takes {len(function.takes)}: {name.value}( {', '.join(function.takes)} )"
            raise FqlError(reason, self._statement, name.start)
        return Call(name.start, self._last_end, name.value, tuple(args))

    def _comparison(self) -> Operator | None:
        """The operator that comes now, if one does."""
        token = self._next
        if token.kind in (Kind.SIGN, Kind.KEYWORD) and token.value in _COMPARISONS:
            self._at += 1
            return cast("Operator", token.value)
        return None

    def _is(self, text: str) -> bool:
        return self._next.kind in (Kind.SIGN, Kind.KEYWORD) and self._next.value == text

    def _accept(self, text: str) -> bool:
        found = self._is(text)
        self._at += found
        return found

    def _enter(self, token: Token) -> None:
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise FqlError(f"nested deeper than {MAX_NESTING} levels", self._statement, token.start)

    def _leave(self, close: str, others: str) -> None:
        self._nesting -= 1
        if not self._accept(close):
            raise self._wrong(f"{others} {close} is missing before {self._shown()}")

    @property
    def _last_end(self) -> int:
        """Where the token that was read last ends."""
        return self._tokens[self._at - 1].end

    def _shown(self) -> str:
        """The token that comes now, for people."""
        token = self._next
        if token.kind is Kind.END:
            return "the end"
        return self._statement[token.start : token.end]

    def _wrong(self, reason: str) -> FqlError:
        """At the token that comes now."""
        return FqlError(reason, self._statement, self._next.start)
