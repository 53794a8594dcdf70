"""Which Hookyard this is, as outbound requests say it."""

from functools import cache
from importlib.metadata import version


@cache
def number() -> str:
    """`0.1.0`. Looked up once: reading the package's metadata takes a millisecond."""
    return version("hookyard")
