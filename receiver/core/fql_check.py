"""FQL statements in routes.yaml: what is wrong with one, said at its place in the file."""

from typing import Any

from receiver.core.findings import Findings
from receiver.core.fql import FqlError, Predicate, compile_fql
from receiver.core.yaml_nodes import Path


def check_fql(path: Path, text: Any, findings: Findings) -> Predicate | None:
    """Note what is wrong with a statement, and what is probably not meant; None if it is none.

    What is no text is a matter of the shape.
    """
    if not isinstance(text, str):
        return None
    try:
        predicate = compile_fql(text)
    except FqlError as error:
        shown = "".join(f"\n    {line}" for line in error.caret().splitlines())
        findings.error(path, f"{error}{shown}")
        return None
    for warning in predicate.warnings:
        findings.warn(path, warning)
    return predicate
