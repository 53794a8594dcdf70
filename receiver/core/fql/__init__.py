"""FQL, Segment's one-line language of conditions over a message. The language: docs/fql.md."""

from receiver.core.fql.compiler import compile_fql
from receiver.core.fql.errors import FqlError
from receiver.core.fql.predicate import Judged, Predicate

__all__ = ["FqlError", "Judged", "Predicate", "compile_fql"]
