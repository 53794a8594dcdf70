"""Rows of delivering: everything is stored before the clock starts, then one worker takes it all."""

import statistics
from collections.abc import Iterator

from benchmarks import sink
from benchmarks.plan import Plan
from benchmarks.processes import Valkey, answers, free_port, python, workspace
from benchmarks.report import Row, at_least, at_least_ratio, row
from benchmarks.system import System, noop_routes, run_baseline

CONCURRENCY = 64
BATCH = 100


def noop(plan: Plan) -> Iterator[Row]:
    """An async handler that does nothing, against one RQ job a message."""
    with workspace() as space:
        system = System(space, "hookyard", noop_routes(1))
        valkey = Valkey(space, "rq-valkey")
        ours, jobs = [], []
        for turn in range(plan.repeats):
            plan.say(f"deliver, no-op handler, {turn + 1} of {plan.repeats}")
            jobs.append(run_baseline("jobs", str(plan.jobs), BENCH_REDIS_URL=valkey.url))
            system.send(count=plan.stored, batch=BATCH, connections=16, seed=turn)
            ours.append(system.delivered_rate(plan.stored))
    middle = statistics.median(ours)
    goals = (at_least_ratio(middle, 100, "one RQ job a message", jobs), at_least(middle, 8_000, "messages/s"))
    yield row("deliver", "deliver, async no-op handler, one worker", "messages/s", ours, goals)


def http(plan: Plan) -> Iterator[Row]:
    """The HTTP step to a local server, against a bare aiohttp loop at the same concurrency."""
    port = free_port()
    step = {
        "method": "POST",
        "url": f"http://127.0.0.1:{port}/hook",
        "json": {"id": "{{ messageId }}", "type": "{{ type }}", "user": "{{ userId }}"},
        "allow_private": True,
    }
    with workspace() as space:
        space.start("sink", python("-m", "benchmarks.sink", str(port)))
        space.wait("sink", answers(port, "/"))
        system = System(space, "hookyard", {"posts": {"concurrency": CONCURRENCY, "steps": [{"http": step}]}})
        ours, loops = [], []
        for turn in range(plan.repeats):
            plan.say(f"deliver, HTTP step, {turn + 1} of {plan.repeats}")
            loops.append(run_baseline("posts", str(port), str(plan.posts), str(CONCURRENCY)))
            system.send(count=plan.posts, batch=BATCH, connections=16, seed=turn)
            ours.append(system.delivered_rate(plan.posts))
    middle = statistics.median(ours)
    goals = (at_least_ratio(middle, 0.7, f"bare aiohttp loop, {CONCURRENCY} in flight", loops),)
    yield row("http", "deliver, HTTP step to a local server, one worker", "messages/s", ours, goals)


def segment(plan: Plan) -> Iterator[Row]:
    """The segment step to a local server, and how many requests its messages share."""
    port = free_port()
    step = {
        "connection": "crm",
        "call": "track",
        "userId": "{{ userId | default(anonymousId) }}",
        "event": "Seen by Hookyard",
        "properties": {"id": "{{ messageId }}", "type": "{{ type }}"},
    }
    connection = {"write_key_env": "BENCH_WRITE_KEY", "region": {"tracking": f"http://127.0.0.1:{port}"}}
    with workspace() as space:
        space.start("sink", python("-m", "benchmarks.sink", str(port)))
        space.wait("sink", answers(port, "/"))
        routes = {"sends": {"concurrency": 1000, "steps": [{"segment": step}]}}
        system = System(space, "hookyard", routes, {"crm": connection})
        ours = []
        for turn in range(plan.repeats):
            plan.say(f"deliver, Segment step, {turn + 1} of {plan.repeats}")
            system.send(count=plan.stored, batch=BATCH, connections=16, seed=turn)
            ours.append(system.delivered_rate(plan.stored))
        calls = sink.bodies(port)
    middle = statistics.median(ours)
    goals = (at_least(middle, 10_000, "messages/s"),)
    sent = plan.stored * plan.repeats
    note = f"{sent:,} messages in {calls:,} HTTP calls, {sent / calls:,.0f} messages a call"
    yield row(
        "segment", "deliver, Segment step to a local server, one worker", "messages/s", ours, goals, note
    )
