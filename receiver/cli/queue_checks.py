"""The checks of `hookyard doctor` about the work itself: who works it, what waits, what was given up."""

from collections.abc import Iterator
from contextlib import contextmanager

from receiver.cli.findings import Case, Finding
from receiver.cli.replays import state_word
from receiver.cli.times import age
from receiver.core import dead_letters, keys, replays
from receiver.core.clock import SYSTEM
from receiver.core.data_dir import resolve_redis_url
from receiver.core.queue import Jobs
from receiver.core.reading import Store
from receiver.core.route_states import RouteState
from receiver.core.units import human_bytes

LATE_MS = 5 * 60_000
"""A message that waits longer than this, on a route that is worked, is worth a warning."""


@contextmanager
def _store(case: Case) -> Iterator[Store | None]:
    if case.redis is None:
        yield None
        return
    url = case.settings.rq_url.reveal() if case.settings.rq_url else resolve_redis_url(case.settings)
    jobs = Jobs(url)
    try:
        yield Store(case.redis, jobs)
    finally:
        jobs.close()


def workers(case: Case) -> Iterator[Finding]:
    """A queue with work and no live worker is an error: nothing of it will be delivered."""
    with _store(case) as store:
        if store is None:
            return
        live, waiting = store.jobs.workers(), _waiting(store)
    unserved = {queue: count for queue, count in waiting.items() if count and not live.get(queue)}
    for queue, count in unserved.items():
        yield Finding(
            level="error",
            title=f"queue {queue} has no worker",
            detail=f"{_deliveries(count)} in it",
            fix=f"Start `hookyard workers` (all queues) or `hookyard workers --queues {queue}`.",
        )
    if not unserved:
        counts = ", ".join(f"{queue} {count}" for queue, count in sorted(live.items()))
        yield Finding(level="ok", title="workers", detail=counts or "none runs, and nothing waits for one")


def _waiting(store: Store) -> dict[str, int]:
    """Queue → deliveries that a worker could take."""
    counts: dict[str, int] = {}
    for state in store.routes():
        if state.queue and not state.paused:
            ready = state.backlog + state.replaying + state.running
            counts[state.queue] = counts.get(state.queue, 0) + ready
    return counts


def retries(case: Case) -> Iterator[Finding]:
    with _store(case) as store:
        if store is None:
            return
        count, live = store.redis.zcard(keys.key("LATER")), store.jobs.workers()
    if count and not live:
        yield Finding(
            level="error",
            title="retries",
            detail=f"{_deliveries(count)} for a retry, and no worker runs",
            fix="Start `hookyard workers`.",
        )
    else:
        detail = f"{_deliveries(count)} for a retry" if count else "none waits"
        yield Finding(level="ok", title="retries", detail=detail)


def held_routes(case: Case) -> Iterator[Finding]:
    """Routes whose messages wait on purpose, or because no worker knows them."""
    with _store(case) as store:
        if store is None:
            return
        states = store.routes()
    for state in states:
        if state.gone_ms:
            yield Finding(
                level="warning",
                title=f"route {state.name} is gone",
                detail=f"{_deliveries(_ready(state))}, {state.dead} dead; the routes.yaml in force does not "
                "name it any more",
                fix=f"Put it back, or: hookyard routes move {state.name} NEW, or: "
                f"hookyard routes drop {state.name}",
            )
        elif state.paused:
            yield Finding(
                level="warning",
                title=f"route {state.name} is paused",
                detail=f"{state.paused}; {_deliveries(_ready(state))}",
                fix=f"hookyard routes resume {state.name}",
            )
        elif state.breaker.shut:
            yield Finding(
                level="warning",
                title=f"route {state.name}: circuit breaker {state.breaker.state}",
                detail=f"{state.breaker.reason}; {_deliveries(_ready(state))}",
                fix="It probes by itself; `hookyard routes` says when. To probe at once: "
                f"hookyard routes resume {state.name}",
            )
        elif not state.queue and _ready(state):
            yield Finding(
                level="warning",
                title=f"route {state.name} is not served",
                detail=f"{_deliveries(_ready(state))}, and the workers' routes.yaml does not name it",
                fix="Put it into their routes.yaml: they take it up within seconds.",
            )


def oldest_waiting(case: Case) -> Iterator[Finding]:
    with _store(case) as store:
        if store is None:
            return
        states = [state for state in store.routes() if state.oldest_ms and _worked(state)]
    now_ms = SYSTEM.now_ms()
    oldest = min(states, key=lambda state: state.oldest_ms, default=None)
    if oldest is None:
        yield Finding(level="ok", title="waiting", detail="nothing waits")
        return
    late = now_ms - oldest.oldest_ms > LATE_MS
    yield Finding(
        level="warning" if late else "ok",
        title="waiting",
        detail=f"the oldest message came {age(oldest.oldest_ms, now_ms)} ago, for route {oldest.name}",
        fix="More workers (`hookyard workers -n N`), or a higher concurrency of the route." if late else "",
    )


def dead(case: Case) -> Iterator[Finding]:
    with _store(case) as store:
        if store is None:
            return
        counts = dead_letters.count(store)
    if not counts:
        yield Finding(level="ok", title="dead letters", detail="none")
        return
    yield Finding(
        level="warning",
        title="dead letters",
        detail=", ".join(f"{route} {count}" for route, count in counts.items()),
        fix="hookyard dead shows why; hookyard dead retry gives them another round.",
    )


def running_replays(case: Case) -> Iterator[Finding]:
    if case.redis is None:
        return
    for one in replays.listed(case.redis):
        if not one.over:
            detail = f"{state_word(one)}: {one.share:.0%} of the messages looked at, {one.settled} delivered"
            yield Finding(level="ok", title=f"replay {one.id}", detail=detail)


def kept(case: Case) -> Iterator[Finding]:
    if case.redis is None:
        return
    count = case.redis.xlen(keys.key("LOG"))
    size = int(case.redis.hget(keys.key("META"), "bytes") or 0)
    yield Finding(
        level="ok", title="messages", detail=f"{count} kept, {human_bytes(size)} with their indexes"
    )


def _worked(state: RouteState) -> bool:
    return bool(state.queue) and not state.paused and not state.breaker.shut


def _ready(state: RouteState) -> int:
    return state.waiting


def _deliveries(count: int) -> str:
    return f"{count} deliver{'y waits' if count == 1 else 'ies wait'}"


QUEUE_CHECKS = (workers, retries, held_routes, oldest_waiting, dead, running_replays, kept)
