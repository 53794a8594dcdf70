"""Looking after the store: how queues stand, retention, an operator's hand on routes and dead letters."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from receiver.core import scripts
from receiver.core.scripts import Call, rows, unpacked
from receiver.core.store import Reserved, reserved


class QueueState(msgspec.Struct, frozen=True):
    """A queue as it stands."""

    queue: str
    ready: int
    """Routes with work."""
    drains: tuple[str, ...]
    """Drains on duty."""
    claimable: int
    """Deliveries that a drain could take now."""


def queues(names: Iterable[str], *, now_ms: int) -> Call[list[QueueState]]:
    """How the named queues stand."""

    def decode(reply: Any) -> list[QueueState]:
        return [
            QueueState(name, int(ready), tuple(rows(drains)), int(claimable))
            for name, ready, drains, claimable in rows(unpacked(reply)["rows"])
        ]

    return scripts.call("read", {"act": "queues", "queues": list(names), "now": now_ms}, decode)


class Trimmed(msgspec.Struct, frozen=True):
    """Progress of retention."""

    deleted: int
    more: bool
    kept_bytes: int


def trim(*, before_ms: int, max_bytes: int, pressure: bool, budget: int = 100) -> Call[Trimmed]:
    """Delete up to `budget` of the oldest messages that owe nothing: older than `before_ms`, or beyond
    `max_bytes` (0: no limit), or, under `pressure`, whatever is oldest."""
    arguments = {"before": before_ms, "max_bytes": max_bytes, "pressure": pressure, "budget": budget}

    def decode(reply: Any) -> Trimmed:
        answer = unpacked(reply)
        return Trimmed(int(answer["deleted"]), bool(answer["more"]), int(answer["bytes"]))

    return scripts.call("trim", arguments, decode)


def _control(act: str, *, now_ms: int, **more: Any) -> Call[tuple[int, tuple[Reserved, ...]]]:
    def decode(reply: Any) -> tuple[int, tuple[Reserved, ...]]:
        answer = unpacked(reply)
        return int(answer["done"]), reserved(answer)

    return scripts.call("control", {"act": act, "now": now_ms, **more}, decode)


def pause(route: int, reason: str, *, now_ms: int) -> Call[tuple[int, tuple[Reserved, ...]]]:
    """Hold a route: its messages wait, nothing is lost."""
    return _control("pause", now_ms=now_ms, route=str(route), reason=reason)


def resume(route: int, *, now_ms: int) -> Call[tuple[int, tuple[Reserved, ...]]]:
    """Let a route go on; the answer is 0 when it was not paused."""
    return _control("resume", now_ms=now_ms, route=str(route))


def redrive(refs: Sequence[str], *, now_ms: int) -> Call[tuple[int, tuple[Reserved, ...]]]:
    """Give dead letters a new round of attempts; the answer counts those that still were dead."""
    return _control("redrive", now_ms=now_ms, refs=list(refs))
