"""What a stored message costs in Redis once everything is delivered: body, indexes, records, all keys."""

from collections.abc import Iterator

from benchmarks.plan import Plan
from benchmarks.processes import workspace
from benchmarks.report import Row, at_most, row
from benchmarks.system import System, noop_routes
from receiver.core.clock import pause

WARM = 500
LIMITS = {1: 350, 3: 400}
"""Routes → bytes a message."""


def memory(plan: Plan) -> Iterator[Row]:
    """Redis' own count of its memory, before and after; the workers are gone by then."""
    for routes, limit in LIMITS.items():
        plan.say(f"memory of {plan.stored:,} messages on {routes} route{'s' * (routes > 1)}")
        with workspace() as space:
            system = System(space, "hookyard", noop_routes(routes))
            deliver(system, WARM, seed=800)
            before = used(system)
            deliver(system, plan.stored, seed=801)
            each = (used(system) - before) / plan.stored
        yield row(
            f"memory-{routes}",
            f"Redis memory a message, {routes} route{'s' * (routes > 1)}",
            "bytes",
            [each],
            [at_most(each, limit, "bytes")],
        )


def deliver(system: System, count: int, seed: int) -> None:
    """Store so many messages and have them worked on all routes."""
    system.send(count=count, batch=100, connections=16, seed=seed)
    worker = system.start_workers()
    system.settled()
    system.stop(worker)


def used(system: System) -> int:
    """Bytes in use, after what the allocator holds back for later was given back and clients are idle."""
    system.redis.memory_purge()
    pause(1.0)
    return int(system.redis.info("memory")["used_memory"])
