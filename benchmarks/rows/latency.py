"""How long a message is on its way: from the moment it is sent to the first line of its handler."""

from collections.abc import Iterator

from benchmarks.load import percentile
from benchmarks.plan import Plan
from benchmarks.processes import workspace
from benchmarks.report import Row, at_most, row
from benchmarks.system import System, noop_routes
from receiver.core.clock import pause

CAPACITY_SECONDS = 4.0


def latency(plan: Plan) -> Iterator[Row]:
    """At half of what the whole chain carries on this machine, and the first message after a pause."""
    with workspace() as space:
        system = System(space, "hookyard", noop_routes(1, "started"))
        worker = system.start_workers()
        system.send(count=100, rate=50.0, seed=900)
        system.settled()
        capacity = carried(plan, system)
        half = capacity / 2
        plan.say(f"accept to handler at {half:,.0f} messages/s, half of what was carried")
        waits = paced(system, count=int(half * plan.paced_seconds), rate=half, seed=902)
        firsts = []
        for turn in range(plan.repeats):
            plan.say(
                f"first message after {plan.idle_seconds:.0f} s of nothing, {turn + 1} of {plan.repeats}"
            )
            pause(plan.idle_seconds)
            firsts += paced(system, count=1, rate=1.0, seed=910 + turn)
        system.stop(worker)
    p50, p99 = percentile(waits, 0.50), percentile(waits, 0.99)
    note = f"at {half:,.0f} messages/s; the whole chain carried {capacity:,.0f}; the HTTP request is included"
    yield row("latency-p50", "accept to handler, half load, p50", "ms", [p50], [at_most(p50, 5, "ms")], note)
    yield row("latency-p99", "accept to handler, half load, p99", "ms", [p99], [at_most(p99, 50, "ms")])
    worst = max(firsts)
    note = f"worst of {len(firsts)}, each after {plan.idle_seconds:.0f} s without traffic"
    yield row(
        "idle", "accept to handler, first after a pause", "ms", [worst], [at_most(worst, 150, "ms")], note
    )


def carried(plan: Plan, system: System) -> float:
    """Messages a second through receiver and worker together, senders as fast as answers come."""
    plan.say("what receiver and worker carry together")
    sent = system.send(count=plan.singles, seconds=CAPACITY_SECONDS, seed=901)
    return sent.messages / (system.settled() - sent.started)


def paced(system: System, *, count: int, rate: float, seed: int) -> list[float]:
    """Send on a timetable; answers each message's way in ms, all of them."""
    system.latencies.unlink(missing_ok=True)
    system.send(count=count, rate=rate, seed=seed)
    system.settled()
    return [int(line) / 1e6 for line in system.latencies.read_text().splitlines()]
