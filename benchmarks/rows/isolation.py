"""Rows of isolation: ten routes, of which one sends to a dead destination, one to a broken and one to a slow
one, against the other seven alone."""

import statistics
from collections.abc import Iterator, Sequence
from typing import Any, cast

from benchmarks.load import percentile
from benchmarks.plan import Plan
from benchmarks.processes import BenchmarkFailed, answers, free_port, python, workspace
from benchmarks.report import Row, at_least_ratio, at_most_ratio, row
from benchmarks.system import SETTLE_SECONDS, System, noop_routes
from receiver.core import keys
from receiver.core.clock import SYSTEM, pause
from receiver.core.reading import Store
from receiver.core.route_states import RouteState

GOOD = 7
BAD = ("dead", "broken", "slow")
BATCH = 100
TURNS = 2
LOOK_SECONDS = 0.05
SHARE = 6
"""Of what is stored in other rows: each message has ten deliveries here."""
PACE = 100.0
"""Messages a second while the way of each is timed: far from what the machine carries."""


def isolation(plan: Plan) -> Iterator[Row]:
    """How fast seven routes take what waits, and how long a message is on its way: alone and beside three."""
    port, dead_port = free_port(), free_port()
    count = plan.stored // SHARE
    rates: dict[str, list[float]] = {"alone": [], "beside": []}
    waits: dict[str, list[float]] = {"alone": [], "beside": []}
    with workspace() as space:
        space.start("troubled", python("-m", "benchmarks.troubled", str(port), str(dead_port)))
        space.wait("troubled", answers(port, "/"))
        alone = System(space, "alone", _good())
        beside = System(space, "beside", {**_good(), **_bad(port, dead_port)})
        turns = min(TURNS, plan.repeats)
        for turn in range(turns):
            for system in (alone, beside):
                plan.say(f"isolation, {system.name}, {turn + 1} of {turns}")
                system.send(count=count, batch=BATCH, connections=16, seed=turn)
                worker = system.start_workers()
                try:
                    rates[system.name].append(_drained(system, count))
                    waits[system.name].append(percentile(_paced(plan, system, turn), 0.99))
                finally:
                    system.stop(worker)
        told = _told(beside)
    with_them = statistics.median(rates["beside"])
    goal = at_least_ratio(with_them, 0.95, f"the {GOOD} alone", rates["alone"])
    what = f"{GOOD} of 10 routes while one is dead, one broken, one slow"
    yield row("isolation", what, "deliveries/s", rates["beside"], [goal], told)
    p99 = statistics.median(waits["beside"])
    bound = at_most_ratio(p99, 1.5, f"the {GOOD} alone", waits["alone"])
    yield row("isolation-p99", "accept to handler beside them, p99", "ms", waits["beside"], [bound])


def _good() -> dict[str, Any]:
    return {**noop_routes(GOOD - 1), "timed": noop_routes(1, "started")["route-1"]}


def _bad(port: int, dead_port: int) -> dict[str, Any]:
    urls = {
        "dead": f"http://127.0.0.1:{dead_port}/",
        "broken": f"http://127.0.0.1:{port}/broken",
        "slow": f"http://127.0.0.1:{port}/slow",
    }
    return {
        name: {"steps": [{"http": {"url": url, "allow_private": True}}], "retry": ["1h"]}
        for name, url in urls.items()
    }


def _drained(system: System, count: int) -> float:
    """Deliveries a second of the good routes, from the first that is over to the last."""
    deadline = SYSTEM.monotonic() + SETTLE_SECONDS
    begun_at, left = 0.0, GOOD * count
    while now_left := _left(system):
        if SYSTEM.monotonic() > deadline:
            raise BenchmarkFailed(f"{now_left} deliveries of the good routes are still open")
        if not begun_at and now_left < GOOD * count:
            begun_at, left = SYSTEM.monotonic(), now_left
        pause(LOOK_SECONDS)
    return left / (SYSTEM.monotonic() - begun_at)


def _left(system: System) -> int:
    """Open deliveries of the good routes."""
    numbers = cast("dict[bytes, bytes]", system.redis.hgetall(keys.key("ROUTES")))
    pipe = system.redis.pipeline(transaction=True)  # a delivery must not be missed while it moves
    for name, number in numbers.items():
        if name.decode() not in BAD:
            pipe.llen(keys.key("BACKLOG", int(number)))
            pipe.scard(keys.key("RUNNING", int(number)))
    return sum(pipe.execute())


def _paced(plan: Plan, system: System, turn: int) -> list[float]:
    """Each message's way to its handler in ms, at a pace that leaves room."""
    system.latencies.unlink(missing_ok=True)
    system.send(count=int(PACE * plan.paced_seconds / 2), rate=PACE, seed=800 + turn)
    while _left(system):
        pause(LOOK_SECONDS)
    return [int(line) / 1e6 for line in system.latencies.read_text().splitlines()]


def _told(system: System) -> str:
    """What became of the three, for the note; raises BenchmarkFailed when anything of theirs is lost."""
    store = Store.open(system.valkey.url)
    try:
        stored, totals = store.last_number(), store.totals()
        retries = [ref.decode() for ref in cast("list[bytes]", store.redis.zrange(keys.key("LATER"), 0, -1))]
        return "nothing lost; " + "; ".join(
            _story(state, stored, totals.get(f"{state.number}:delivered", 0), retries)
            for state in store.routes()
            if state.name in BAD
        )
    finally:
        store.close()


def _story(state: RouteState, stored: int, delivered: int, retries: Sequence[str]) -> str:
    later = sum(f":{state.number}:" in ref for ref in retries)
    if (found := delivered + state.waiting + state.running + later + state.dead) != stored:
        raise BenchmarkFailed(f"route {state.name} knows {found} of {stored} messages")
    return f"{state.name} {state.breaker.state}, {state.breaker.reason or f'{delivered} delivered'}"
