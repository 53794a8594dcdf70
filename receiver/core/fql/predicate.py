"""A compiled statement: what may be asked of messages."""

from collections.abc import Callable, Mapping
from typing import Any

from receiver.core.fql.tree import Node, Path, inside_out

Message = Mapping[str, Any]
"""A parsed message, or any mapping that has its top-level fields: only `get` is called on it."""
Evaluate = Callable[[Message], Any]


class Predicate:
    """Whether a statement is true of a message. Asking never raises, whatever JSON the message holds."""

    __slots__ = ("_evaluate", "_made", "_root", "paths", "roots", "text", "warnings")

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

    def __call__(self, message: Message) -> bool:
        """True only if the statement's value is boolean true."""
        return self._evaluate(message) is True

    def __repr__(self) -> str:
        return f"Predicate({self.text!r})"
