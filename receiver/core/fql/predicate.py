"""A compiled statement: what may be asked of messages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from receiver.core.fql.closures import Evaluate, Message, all_of, any_of
from receiver.core.fql.tree import And, Comparison, Literal, Node, Or, Path, Several, children, inside_out
from receiver.core.fql.values import compact

LONGEST_SHOWN = 60
"""Most characters of a value in `Judged.words`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One of the conditions that a statement joins, and how a message fared with it."""

    text: str
    held: bool
    saw: Mapping[str, Any]
    """The fields it reads, as written, and what the message has there."""

    def words(self) -> str:
        """In one line: `properties.revenue > 100 is not true (properties.revenue is 50)`."""
        saw = ", ".join(f"{name} is {_cut(compact(value))}" for name, value in self.saw.items())
        said = f"{' '.join(self.text.split())} is {'' if self.held else 'not '}true"
        return f"{said} ({saw})" if saw else said


class Predicate:
    """Whether a statement is true of a message.

    Asking never raises, whatever JSON the message holds. Two of the same text are equal.
    """

    __slots__ = (
        "_conditions",
        "_made",
        "_reads",
        "_root",
        "_source",
        "evaluate",
        "paths",
        "roots",
        "text",
        "warnings",
    )

    def __init__(
        self,
        *,
        text: str,
        root: Node,
        made: Mapping[Node, Evaluate],
        source: str | None = None,
        warnings: tuple[str, ...] = (),
    ) -> None:
        self.text = text
        """The statement as written."""
        self._source = text if source is None else source
        """The text that the nodes are places of."""
        self.warnings = warnings
        """What it says that is probably not meant; one sentence each."""
        self.paths = frozenset(node.steps for node in inside_out(root) if isinstance(node, Path))
        """The fields it reads, each as its names from the top of the message down."""
        self.roots = frozenset(path[0] for path in self.paths)
        """The top-level fields it reads: no other needs to be there or parsed."""
        self._root = root
        self._made = made
        self.evaluate = made[root]
        """The statement's value, for loops that ask so often that a call within a call counts."""
        self._reads = _reads(root)
        self._conditions = children(root) if isinstance(root, And | Or) else (root,)

    def __call__(self, message: Message) -> bool:
        """True only if the statement's value is boolean true."""
        return self.evaluate(message) is True

    def given(self, known: Mapping[str, Any]) -> "Predicate | bool":
        """What is left to ask of messages that have these top-level fields; a bool where they decide it."""
        answers = self._decided(known)
        answer = answers[self._root]
        if answer is not None:
            return answer
        left = tuple(one for one in self._conditions if answers[one] is None)
        if len(left) == len(self._conditions):
            return self
        texts = [self._source[one.start : one.end] for one in left]
        if len(left) == 1:
            return Predicate(text=texts[0], root=left[0], made=self._made, source=self._source)
        join, kind, word = (all_of, And, " and ") if isinstance(self._root, And) else (any_of, Or, " or ")
        root = kind(self._root.start, self._root.end, left)
        made = {**self._made, root: join([self._made[one] for one in left])}
        text = word.join(f"( {text} )" for text in texts)
        return Predicate(text=text, root=root, made=made, source=self._source)

    def _decided(self, known: Mapping[str, Any]) -> dict[Node, bool | None]:
        """Of each part, whether it is true of every message that has these fields; None if that varies."""
        answers: dict[Node, bool | None] = {}
        for node in inside_out(self._root):
            parts = [answers[part] for part in children(node)]
            if self._reads[node] <= known.keys():
                answers[node] = self._made[node](known) is True
            elif isinstance(node, And) and False in parts:
                answers[node] = False
            elif isinstance(node, Or) and (True in parts or None not in parts):
                answers[node] = True in parts
            else:
                answers[node] = None
        return answers

    def only(self, name: str) -> frozenset[str] | None:
        """The texts one of which a top-level field must be, for the statement to be true; None: of any value.

        So that statements can be found by what they ask for, instead of being asked one by one.
        """
        found: dict[Node, frozenset[str] | None] = {}
        for node in inside_out(self._root):
            parts = [found[part] for part in children(node)]
            told = [part for part in parts if part is not None]
            if isinstance(node, And) and told:
                found[node] = frozenset.intersection(*told)
            elif isinstance(node, Or) and len(told) == len(parts):
                found[node] = frozenset().union(*told)
            else:
                found[node] = _asked(node, name)
        return found[self._root]

    def judge(self, message: Message) -> tuple[Judged, ...]:
        """Each of the conditions that `and` or `or` joins at the top; the statement itself if it is one."""
        return tuple(
            Judged(
                text=self._source[one.start : one.end],
                held=self._made[one](message) is True,
                saw={
                    self._source[node.start : node.end]: self._made[node](message)
                    for node in sorted(inside_out(one), key=lambda node: node.start)
                    if isinstance(node, Path)
                },
            )
            for one in self._conditions
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Predicate) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Predicate({self.text!r})"


def _asked(node: Node, name: str) -> frozenset[str] | None:
    """What a single comparison asks of a top-level field: see `Predicate.only`."""
    match node:
        case Comparison(operator="=", left=Path(steps=(field,)), right=Literal(value=str() as text)):
            texts = [text]
        case Comparison(operator="=", left=Literal(value=str() as text), right=Path(steps=(field,))):
            texts = [text]
        case Comparison(operator="in", left=Path(steps=(field,)), right=Several(items=items)):
            texts = [
                item.value for item in items if isinstance(item, Literal) and isinstance(item.value, str)
            ]
            if len(texts) < len(items):
                return None
        case _:
            return None
    return frozenset(texts) if field == name else None


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


def _reads(root: Node) -> dict[Node, frozenset[str]]:
    """The top-level fields that each part of a statement reads."""
    found: dict[Node, frozenset[str]] = {}
    for node in inside_out(root):
        own = {node.steps[0]} if isinstance(node, Path) else set()
        found[node] = frozenset(own).union(*(found[part] for part in children(node)))
    return found
