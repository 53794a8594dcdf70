"""Replays: an operator's order to deliver stored messages again, its progress, and the steps of its walk.

A step pushes references and moves the cursor in one script call, so a crash neither skips nor doubles. The
walker is `workers.replay`.
"""

from collections.abc import Iterable, Mapping
from typing import Any, cast

import msgspec
import redis

from receiver.core import keys, scripts
from receiver.core.errors import HookError
from receiver.core.scripts import Call, rows, unpacked
from receiver.core.selection import Selection
from receiver.core.store import Reserved

ORPHANED_MS = 10_000
"""A running replay whose walker was silent for so long gets another one."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What was ordered."""

    selection: Selection
    routes: tuple[str, ...] = ()
    """Routes to deliver to, whatever their filters say; empty: the routes that match each message today."""
    rate: float
    """Deliveries a second."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a replay is."""

    id: int
    state: str
    """running, paused, done (all handed to the routes) or cancelled."""
    plan: Plan
    created_ms: int
    ended_ms: int | None
    first: int
    last: int
    cursor: int
    """Number of the last message looked at."""
    matched: int
    deliveries: int
    delivered: int
    dropped: int
    dead: int

    @property
    def share(self) -> float:
        """Of the messages to look at, 0 to 1."""
        width = self.last - self.first + 1
        return 1.0 if width <= 0 else min(1.0, max(0.0, (self.cursor - self.first + 1) / width))

    @property
    def settled(self) -> int:
        return self.delivered + self.dropped + self.dead

    @property
    def over(self) -> bool:
        """Nothing of it will change by itself any more."""
        return self.state == "cancelled" or (self.state == "done" and self.settled >= self.deliveries)


class ReplayError(HookError):
    """A replay cannot do what was asked of it; says why."""

    code = "replay_error"


class Stepped(msgspec.Struct, frozen=True):
    """The answer to a step; not ok means: the replay was paused, cancelled, or another walker moved it."""

    ok: bool
    state: str
    reserved: tuple[Reserved, ...]


def create(client: "redis.Redis", plan: Plan, *, first: int, last: int, now_ms: int) -> int:
    """Record an order over the messages `first` to `last`; answers its id."""
    arguments = {
        "act": "create",
        "now": now_ms,
        "first": first,
        "last": last,
        "rate": plan.rate,
        "plan": msgspec.json.encode(plan).decode(),
    }
    return int(scripts.run_now(client, scripts.call("replay", arguments, unpacked))["id"])


def change(client: "redis.Redis", replay: int, state: str, *, now_ms: int) -> None:
    """Pause (`paused`), resume (`running`) or cancel (`cancelled`). Raises ReplayError."""
    arguments = {"act": "change", "id": str(replay), "state": state, "now": now_ms}
    answer = scripts.run_now(client, scripts.call("replay", arguments, unpacked))
    if not answer["ok"]:
        was = answer["state"] or "not known"
        raise ReplayError(f"replay {replay} is {was}: it cannot become {state}")


def own(replay: int, owner: str, *, now_ms: int) -> Call[Stepped]:
    """Become, or stay, the one that walks a replay."""
    return _call({"act": "own", "id": str(replay), "owner": owner, "now": now_ms})


def step(
    replay: int,
    refs: Mapping[str, str],
    *,
    cursor: int,
    to: int,
    scanned: int,
    matched: int,
    now_ms: int,
) -> Call[Stepped]:
    """Push references and move the cursor from `cursor` to `to`. `refs`: with their ordering keys, empty
    where they have none."""
    arguments = {
        "act": "step",
        "id": str(replay),
        "refs": list(refs),
        "orders": list(refs.values()),
        "cursor": cursor,
        "to": to,
        "scanned": scanned,
        "matched": matched,
        "now": now_ms,
    }
    return _call(arguments)


def _call(arguments: dict[str, Any]) -> Call[Stepped]:
    def decode(reply: Any) -> Stepped:
        answer = unpacked(reply)
        reserved = tuple(Reserved(queue, drain) for queue, drain in rows(answer.get("reserved")))
        return Stepped(bool(answer["ok"]), answer["state"], reserved)

    return scripts.call("replay", arguments, decode)


def progress(client: "redis.Redis", replay: int) -> Progress | None:
    """How far a replay is; None when there is none of that id."""
    found = cast("dict[bytes, bytes]", client.hgetall(keys.key("REPLAY", replay)))
    if not found:
        return None
    fields = {name.decode(): value.decode() for name, value in found.items()}

    def count(name: str) -> int:
        return int(fields.get(name) or 0)

    return Progress(
        id=replay,
        state=fields["state"],
        plan=msgspec.json.decode(fields["plan"], type=Plan),
        created_ms=count("created"),
        ended_ms=count("ended") or None,
        first=count("first"),
        last=count("last"),
        cursor=count("cursor"),
        matched=count("matched"),
        deliveries=count("deliveries"),
        delivered=count("delivered"),
        dropped=count("dropped"),
        dead=count("dead"),
    )


def listed(client: "redis.Redis", count: int = 50) -> list[Progress]:
    """The newest replays, newest first."""
    ids = cast("list[bytes]", client.zrange(keys.key("REPLAYS"), 0, count - 1, desc=True))
    return [found for found in (progress(client, int(one)) for one in ids) if found is not None]


def orphans(client: "redis.Redis", *, now_ms: int) -> list[int]:
    """Running replays that nobody walks."""
    found = []
    for one in cast("list[bytes]", client.zrange(keys.key("REPLAYS"), 0, 49, desc=True)):
        state, beat, created = client.hmget(keys.key("REPLAY", int(one)), ["state", "beat", "created"])
        if state == b"running" and int(beat or created or 0) < now_ms - ORPHANED_MS:
            found.append(int(one))
    return found


def at_rest(client: "redis.Redis", replay: int, routes: Iterable[int]) -> bool:
    """Whether no delivery of a replay is ready or at work: what is open of it waits for a retry.

    `routes`: those it may deliver to. Another replay's deliveries that are ready on them count as well.
    """
    pipe = client.pipeline(transaction=True)  # a delivery must not be missed while it moves
    pipe.llen(keys.key("SUSPECTS"))
    for route in routes:
        pipe.llen(keys.key("REPLAYING", route))
        pipe.smembers(keys.key("RUNNING", route))
        pipe.zcard(keys.key("PARKED", route))
    suspects, *found = pipe.execute()
    mine = f":{replay}".encode()
    for ready, running, parked in zip(found[::3], found[1::3], found[2::3], strict=True):
        if ready or (parked and running) or any(ref.endswith(mine) for ref in running):
            return False
    return not suspects
