"""What the checks of routes.yaml have to say, as long as it is about places in the data and not lines."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from receiver.core.yaml_nodes import Path


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong at one place."""

    path: Path
    message: str


@dataclass(slots=True)
class Findings:
    """All that was found so far. Errors keep the file from being used, warnings do not."""

    errors: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)

    def error(self, path: Path, message: str) -> None:
        self.errors.append(Finding(path, message))

    def warn(self, path: Path, message: str) -> None:
        self.warnings.append(Finding(path, message))

    def unknown(self, path: Path, what: str, name: str, known: Iterable[str]) -> None:
        """A name that nothing bears."""
        self.error(path, f"{what} {name}{suggestion(name, known)}")


def suggestion(name: str, known: Iterable[str]) -> str:
    """What the writer may have meant, or what there is to choose from."""
    names = list(known)
    close = get_close_matches(name, names, n=1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; there are {', '.join(names)}" if 0 < len(names) <= 12 else ""


def mappings(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The named mappings inside a value that may have any shape."""
    for name, inner in value.items() if isinstance(value, dict) else ():
        if isinstance(inner, dict):
            yield name, inner


def texts(value: Any) -> Iterator[tuple[int, str]]:
    """The texts of a value that should be a list of texts but may have any shape."""
    for at, inner in enumerate(value if isinstance(value, list) else ()):
        if isinstance(inner, str):
            yield at, inner
