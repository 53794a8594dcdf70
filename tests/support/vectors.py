"""Good requests of every scheme: tests/fixtures/<scheme>/vectors.json, made by others than ourselves.

Each stands with its `verify` as routes.yaml has it, and goes through the reading of that file.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from receiver.core.routes_file import parse
from receiver.core.verify_options import Verify
from receiver.schemes.base import Coverage, Unverified
from tests.support.segment import line

FIXTURES = Path(__file__).parent.parent / "fixtures"

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """A request that its scheme lets through."""

    scheme: str
    about: str
    keys: Mapping[str, Any]
    """`verify`, as it is written in routes.yaml."""
    environ: Mapping[str, str]
    at_ms: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    coverage: Coverage

    def __str__(self) -> str:
        return f"{self.scheme}: {self.about}"

    def options(self, environ: Mapping[str, str] | None = None, **changed: Any) -> Verify:
        """What routes.yaml makes of it, with other secrets or other keys."""
        (made,) = verify_of({**self.keys, **changed}, self.environ if environ is None else environ)
        return made

    def request(self, **changed: Any) -> Unverified:
        """The request, or a wrong one."""
        return Unverified(
            **{"body": self.body, "headers": list(self.headers), "at_ms": self.at_ms, **changed}
        )


def verify_of(keys: Any, environ: Mapping[str, str]) -> tuple[Verify, ...]:
    """A `verify` as it comes out of routes.yaml."""
    text = json.dumps({"sources": {"shop": {"verify": keys}}})
    return parse(text, file="vectors.json", environ=environ).sources["shop"].verify


def _read(file: Path) -> list[Vector]:
    return [
        Vector(
            scheme=file.parent.name,
            about=one["about"],
            keys=one["verify"],
            environ=one["environ"],
            at_ms=one["at_ms"],
            headers=tuple((name.lower().encode(), value.encode()) for name, value in one["headers"].items()),
            body=line(one["line"]) if "line" in one else one["body"].encode(),
            coverage=Coverage(one["coverage"]),
        )
        for one in json.loads(file.read_text(encoding="utf-8"))
    ]


VECTORS = [vector for file in sorted(FIXTURES.glob("*/vectors.json")) for vector in _read(file)]
