"""How a queue always has a drain, once: calls of `lua/duty.lua`. docs/architecture.md tells the protocol."""

from collections.abc import Iterable
from typing import Any

import msgspec

from receiver.core import scripts
from receiver.core.scripts import Call, rows, unpacked
from receiver.core.store import Reserved, reserved


class Duty(msgspec.Struct, frozen=True):
    """The answer to a question of duty."""

    ok: bool
    drain: str | None
    reserved: tuple[Reserved, ...]
    reaped: tuple[tuple[str, int], ...] = ()
    """Drains taken off for silence, and how many references each had in flight."""
    leases: int = 0
    """What the drain that was reaped had in flight."""


def _duty(act: str, *, now_ms: int, queue: str = "", drain: str = "", **more: Any) -> Call[Duty]:
    arguments = {"act": act, "now": now_ms, "queue": queue, "drain": drain, **more}

    def decode(reply: Any) -> Duty:
        answer = unpacked(reply)
        return Duty(
            ok=answer["ok"],
            drain=answer.get("drain"),
            reserved=reserved(answer),
            reaped=tuple((drain, int(count)) for drain, count in rows(answer.get("reaped"))),
            leases=int(answer.get("leases", 0)),
        )

    return scripts.call("duty", arguments, decode)


def sign_on(
    queue: str, drain: str, *, now_ms: int, worker: str, host: str, pid: int, version: str = ""
) -> Call[Duty]:
    """Take up duty under a reserved id; not ok when the reservation lapsed and another drain is on duty.
    `version` is of the routes.yaml it works by."""
    more = {"worker": worker, "host": host, "pid": pid, "version": version}
    return _duty("sign_on", now_ms=now_ms, queue=queue, drain=drain, **more)


def beat(queue: str, drain: str, *, now_ms: int) -> Call[Duty]:
    """Renew duty and all leases of a drain; not ok when the store no longer knows it."""
    return _duty("beat", now_ms=now_ms, queue=queue, drain=drain)


def hand_over(queue: str, drain: str, *, now_ms: int) -> Call[Duty]:
    """Go off duty and reserve a successor; the answer names it, or none where no route has the queue."""
    return _duty("hand_over", now_ms=now_ms, queue=queue, drain=drain)


def step_down(queue: str, drain: str, *, now_ms: int) -> Call[Duty]:
    """Go off duty for good; wakes or reserves another drain for work that is there."""
    return _duty("step_down", now_ms=now_ms, queue=queue, drain=drain)


def sign_off(queue: str, drain: str, *, now_ms: int, stopping: bool) -> Call[Duty]:
    """Leave duty; not ok means stay. May name a drain to enqueue, for work that nobody else would see."""
    return _duty("sign_off", now_ms=now_ms, queue=queue, drain=drain, stopping=stopping)


def reserve(queue: str, *, now_ms: int) -> Call[Duty]:
    """One more drain for a queue."""
    return _duty("reserve", now_ms=now_ms, queue=queue)


def reap(drain: str, *, now_ms: int) -> Call[Duty]:
    """Take a dead drain's duty and leases away at once; what it had in flight becomes suspect."""
    return _duty("reap", now_ms=now_ms, drain=drain)


def sweep(queues: Iterable[str], routes: Iterable[int], *, now_ms: int, reaping: bool) -> Call[Duty]:
    """What may have been lost in between: due retries, silent drains, routes with work nobody looks at,
    queues without a drain. `reaping` is off just after an outage, when every heartbeat is late."""
    return _duty(
        "sweep",
        now_ms=now_ms,
        queues=list(queues),
        routes=[str(route) for route in routes],
        reaping=reaping,
    )
