"""How much a run of the benchmarks does."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Counts are messages a repetition; the quick plan shows that all works, not how fast."""

    repeats: int = 3
    singles: int = 30_000
    batched: int = 60_000
    stored: int = 60_000
    jobs: int = 400
    posts: int = 15_000
    paced_seconds: int = 8
    idle_seconds: float = 15.0
    say: Callable[[str], None] = print
    """Told what is being measured."""


def quick(say: Callable[[str], None]) -> Plan:
    """A minute or two in all."""
    return Plan(
        repeats=1,
        singles=4_000,
        batched=10_000,
        stored=6_000,
        jobs=50,
        posts=2_000,
        paced_seconds=2,
        idle_seconds=3.0,
        say=say,
    )
