"""What waits on a route, moved to another one or dropped, on an operator's word: calls of `lua/clear.lua`.

Each call takes some and is atomic, so that one who is killed in between, and begins again, skips and doubles
nothing.
"""

from collections.abc import Iterator, Sequence
from typing import Any, cast

import msgspec
import redis

from receiver.core import keys, scripts
from receiver.core.reading import Store
from receiver.core.scripts import Call, unpacked
from receiver.core.store import Reserved, reserved

PAGE = 200
"""Deliveries cleared in one call: some milliseconds inside Redis."""
SCAN = 1000
PASSES = 5
"""What runs while others are cleared comes to the route again."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """What is open on a route."""

    backlog: int
    """To be worked, live and replayed, also those that wait for others of their ordering key."""
    later: int
    """For a retry."""
    dead: int
    """Dead letters."""
    running: int
    """At work: whatever becomes of them stays on the route."""

    @property
    def clearable(self) -> int:
        return self.backlog + self.later + self.dead


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to do with what waits on a route."""

    route: int
    to: int | None = None
    """The route to move it to; None: drop it."""
    resume: bool = False
    """The other is the same route under another name: steps that are done are not run again there."""


class Cleared(msgspec.Struct, frozen=True):
    """What one call did."""

    cleared: int = 0
    there: int = 0
    """Of those, the ones whose message has a delivery on the other route already: they were dropped."""
    reserved: tuple[Reserved, ...] = ()


def waiting(client: "redis.Redis", route: int) -> Waiting:
    """How much there is; retries are counted one by one."""
    pipe = client.pipeline(transaction=False)
    pipe.llen(keys.key("BACKLOG", route))
    pipe.llen(keys.key("REPLAYING", route))
    pipe.zcard(keys.key("PARKED", route))
    pipe.zcard(keys.key("DEAD", route))
    pipe.scard(keys.key("RUNNING", route))
    backlog, replaying, parked, dead, running = (int(size) for size in pipe.execute())
    later = sum(len(page) for page in _retries(client, route))
    return Waiting(backlog=backlog + replaying + parked, later=later, dead=dead, running=running)


def carry_out(store: Store, order: Order) -> Iterator[Cleared]:
    """Clear until nothing waits there, as long as not more and more comes in. Answers after each call; begun
    again, it goes on where it was."""
    for _ in range(PASSES):
        if not waiting(store.redis, order.route).clearable:
            return
        for page in _retries(store.redis, order.route):
            yield _run(store, _named(order, page, dead=False, now_ms=store.clock.now_ms()))
        while (done := _run(store, _head(order, now_ms=store.clock.now_ms()))).cleared:
            yield done
        while page := _letters(store.redis, order.route):
            yield _run(store, _named(order, page, dead=True, now_ms=store.clock.now_ms()))


def drop_dead(store: Store, refs: Sequence[str]) -> int:
    """Give up dead letters for good; counts those that still were."""
    done = 0
    for first in range(0, len(refs), PAGE):
        made = _named(Order(route=0), refs[first : first + PAGE], dead=True, now_ms=store.clock.now_ms())
        done += _run(store, made).cleared
    return done


def _run(store: Store, made: Call[Cleared]) -> Cleared:
    done = scripts.run_now(store.redis, made)
    store.jobs.enqueue(done.reserved)
    return done


def _retries(client: "redis.Redis", route: int) -> Iterator[list[str]]:
    """Page by page, those that wait for a retry; some may come twice."""
    cursor = 0
    while True:
        cursor, found = cast(
            "tuple[int, list[tuple[bytes, float]]]",
            client.zscan(keys.key("LATER"), cursor, match=f"*:{route}:*", count=SCAN),
        )
        refs = [ref.decode() for ref, _ in found]
        yield from (refs[first : first + PAGE] for first in range(0, len(refs), PAGE))
        if cursor == 0:
            return


def _letters(client: "redis.Redis", route: int) -> list[str]:
    found = cast("list[bytes]", client.zrange(keys.key("DEAD", route), 0, PAGE - 1))
    return [ref.decode() for ref in found]


def _head(order: Order, *, now_ms: int) -> Call[Cleared]:
    return _call(order, act="waiting", route=str(order.route), most=PAGE, now=now_ms)


def _named(order: Order, refs: Sequence[str], *, dead: bool, now_ms: int) -> Call[Cleared]:
    return _call(order, act="named", refs=list(refs), dead=dead, now=now_ms)


def _call(order: Order, **arguments: Any) -> Call[Cleared]:
    to = "" if order.to is None else str(order.to)

    def decode(reply: Any) -> Cleared:
        answer = unpacked(reply)
        return Cleared(int(answer["cleared"]), int(answer["there"]), reserved(answer))

    return scripts.call("clear", {"to": to, "resume": order.resume, **arguments}, decode)
