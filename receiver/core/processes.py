"""Which processes there are, and which routes.yaml each of them goes by: calls of `lua/processes.lua`.

During a rolling deployment, or where a machine was forgotten, several versions are served at once. The store
then obeys the newest one that a supervisor alive serves (`store.publish`).
"""

from typing import Any, Literal

import msgspec

from receiver.core import scripts
from receiver.core.scripts import Call, rows, unpacked

BEAT_S = 5.0
LIVES_MS = 15_000
"""How long a process counts as alive after its last beat."""

Kind = Literal["receiver", "workers"]
KINDS: tuple[Kind, ...] = ("receiver", "workers")


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """One receiver process, or one supervisor with its workers."""

    name: str
    kind: Kind
    host: str
    pid: int
    version: str
    """Of the routes.yaml it goes by."""
    order: int = 0
    """Of that version, among those that workers were given; 0 for a receiver."""
    refused: str = ""
    """Why it does not go by its routes.yaml as it stands."""


class Standing(msgspec.Struct, frozen=True):
    """Versions by their order: what the store obeys, and the newest that somebody serves."""

    in_force: int
    newest: int


def beat(process: Process, *, now_ms: int) -> Call[Standing]:
    """Say that it lives."""
    return _call("beat", now=now_ms, lives=LIVES_MS, **msgspec.structs.asdict(process))


def leave(name: str) -> Call[Standing]:
    """Say that it ends."""
    return _call("leave", name=name)


def listed(*, now_ms: int) -> Call[list[Process]]:
    """Those alive, by kind and host."""

    def decode(reply: Any) -> list[Process]:
        found = msgspec.convert(rows(unpacked(reply)["rows"]), list[Process])
        return sorted(found, key=lambda one: (one.kind, one.host, one.pid))

    return scripts.call("processes", {"act": "list", "now": now_ms}, decode)


def _call(act: str, **arguments: Any) -> Call[Standing]:
    def decode(reply: Any) -> Standing:
        answer = unpacked(reply)
        return Standing(int(answer["in_force"]), int(answer["newest"]))

    return scripts.call("processes", {"act": act, **arguments}, decode)
