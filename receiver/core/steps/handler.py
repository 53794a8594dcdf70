"""The handler step in routes.yaml: the name of one of the user's functions.

Whether it can be imported only workers find out (`workers.loading`): the code is the user's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from receiver.core.findings import Findings
from receiver.core.steps.base import Place, Spec
from receiver.core.yaml_nodes import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerSpec(Spec):
    """Call a Python function."""

    kind: ClassVar[str] = "handler"
    target: str
    """`module.sub:function`."""


def check(path: Path, step: Any, data: Mapping[str, Any], findings: Findings) -> None:
    """Its shape says all there is to check."""


def templates(path: Path, step: Any) -> Iterator[Place]:
    """It has none."""
    return iter(())


def build(keys: str, environ: Mapping[str, str]) -> HandlerSpec:
    """The record of a handler step."""
    return HandlerSpec(target=keys)
