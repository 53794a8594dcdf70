"""What a valid statement says that is probably not meant."""

from collections.abc import Iterator
from difflib import get_close_matches

from receiver.core.fql.functions import FUNCTIONS, SEMVER_ORDERS
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
    inside_out,
)
from receiver.core.fql.values import typeof
from receiver.core.globs import GlobError, compile_glob
from receiver.core.message import SEGMENT_FIELDS

FIELDS = (*SEGMENT_FIELDS, "steps")
"""What a message may be asked for; `steps` holds the outputs of earlier steps."""


def advice(root: Node) -> Iterator[str]:
    """One sentence for each thing."""
    yield from _no_bool(root, "the statement")
    if isinstance(root, Path) and not _known(root):
        every = "; for every message leave the condition out" if root.steps == ("all",) else ""
        yield f"{root.steps[0]} is read as a field of the message{every}"
    for node in inside_out(root):
        match node:
            case And(parts=parts) | Or(parts=parts):
                for part in parts:
                    yield from _no_bool(part, "a side of and, or")
            case Not(inner=inner) | Truth(inner=inner):
                yield from _no_bool(inner, "what follows !")
            case Comparison():
                yield from _of_comparison(node)
            case Call():
                yield from _of_call(node)
            case Path():
                yield from _of_path(node)


def _no_bool(node: Node, what: str) -> Iterator[str]:
    """Where only boolean true counts."""
    kind = _kind(node)
    if kind not in (None, "bool"):
        yield f"{what} is a {kind} and never true: compare it with something"


def _kind(node: Node) -> str | None:
    """The type of its value, as far as the statement tells."""
    match node:
        case Literal(value=value):
            return typeof(value)
        case Several():
            return "list"
        case Call(name=name):
            return FUNCTIONS[name].gives
        case Path():
            return None
    return "bool"


def _of_comparison(node: Comparison) -> Iterator[str]:
    if node.operator == "in":
        if _kind(node.right) not in (None, "list"):
            yield "the right side of in is not a list, so it is never true; to search in a text use contains"
    elif node.operator in ("=", "!="):
        right = node.right
        if isinstance(node.left, Path) and isinstance(right, Path) and not _known(right):
            yield f"{right.steps[0]} is read as a field of the message; a text stands in quotes"
    elif "string" in (_kind(node.left), _kind(node.right)):
        yield f"{node.operator} compares numbers only: beside a text it is never true"


def _of_call(node: Call) -> Iterator[str]:
    match node:
        case Call(name="contains" | "match") if any(_kind(arg) not in (None, "string") for arg in node.args):
            yield f"{node.name} compares texts only: beside anything else it is never true"
        case Call(name="match", args=(_, Literal(value=pattern))):
            try:
                compile_glob(str(pattern))
            except GlobError as error:
                yield f"the pattern of match fits nothing: {error}"
        case Call(name="semver", args=(_, Literal(value=operator), _)) if operator not in SEMVER_ORDERS:
            yield f"semver knows the operators {', '.join(SEMVER_ORDERS)}; with another it is never true"


def _known(path: Path) -> bool:
    """Whether it is more than a word that may be meant as a text."""
    return len(path.steps) > 1 or path.steps[0] in FIELDS


def _of_path(node: Path) -> Iterator[str]:
    root = node.steps[0]
    close = [] if root in FIELDS else get_close_matches(root, FIELDS, n=1, cutoff=0.8)
    if close:
        yield f"messages have no field {root}; did you mean {close[0]}?"
