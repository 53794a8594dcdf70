"""A compiled statement: what may be asked of messages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from receiver.core.fql.tree import And, Node, Or, Path, children, inside_out
from receiver.core.fql.values import compact

LONGEST_SHOWN = 60
"""Most characters of a value in `Judged.words`."""


class Message(Protocol):
    """A parsed message: any mapping of its top-level fields, or whatever else can look one up.

    To lay something over a message, such as the outputs of steps, `{**message, "steps": outputs}` will do:
    it copies one level only.
    """

    def get(self, name: str, /) -> Any:
        """The value of a top-level field; None where there is none."""
        ...


Evaluate = Callable[[Message], Any]


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
        return f"{' '.join(self.text.split())} is {'' if self.held else 'not '}true" + (
            f" ({saw})" if saw else ""
        )


class Predicate:
    """Whether a statement is true of a message.

    Asking never raises, whatever JSON the message holds. Two of the same text are equal.
    """

    __slots__ = ("_conditions", "_evaluate", "_made", "_reads", "_root", "paths", "roots", "text", "warnings")

    def __init__(
        self, *, text: str, root: Node, made: Mapping[Node, Evaluate], warnings: tuple[str, ...] = ()
    ) -> None:
        self.text = text
        """The statement as written."""
        self.warnings = warnings
        """What it says that is probably not meant; one sentence each."""
        self.paths = frozenset(node.steps for node in inside_out(root) if isinstance(node, Path))
        """The fields it reads, each as its names from the top of the message down."""
        self.roots = frozenset(path[0] for path in self.paths)
        """The top-level fields it reads: no other needs to be there or parsed."""
        self._root = root
        self._made = made
        self._evaluate = made[root]
        self._reads = _reads(root)
        self._conditions = children(root) if isinstance(root, And | Or) else (root,)

    def __call__(self, message: Message) -> bool:
        """True only if the statement's value is boolean true."""
        return self._evaluate(message) is True

    def decided(self, known: Mapping[str, Any]) -> bool | None:
        """Its answer about every message that has these top-level fields; None if it hangs on others too."""
        answers: dict[Node, bool | None] = {}
        for node in inside_out(self._root):
            parts = [answers[part] for part in children(node)]
            if self._reads[node] <= known.keys():
                answers[node] = self._made[node](known) is True
            elif isinstance(node, And) and False in parts:
                answers[node] = False
            else:
                answers[node] = True if isinstance(node, Or) and True in parts else None
        return answers[self._root]

    def judge(self, message: Message) -> tuple[Judged, ...]:
        """Each of the conditions that `and` or `or` joins at the top; the statement itself if it is one."""
        return tuple(
            Judged(
                text=self.text[one.start : one.end],
                held=self._made[one](message) is True,
                saw={
                    self.text[node.start : node.end]: self._made[node](message)
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


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


def _reads(root: Node) -> dict[Node, frozenset[str]]:
    """The top-level fields that each part of a statement reads."""
    found: dict[Node, frozenset[str]] = {}
    for node in inside_out(root):
        own = {node.steps[0]} if isinstance(node, Path) else set()
        found[node] = frozenset(own).union(*(found[part] for part in children(node)))
    return found
