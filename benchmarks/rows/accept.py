"""Rows of accepting: HTTP in, durable, three routes matched, nobody working."""

import statistics
from collections.abc import Iterator

from benchmarks.plan import Plan
from benchmarks.processes import Valkey, Workspace, answers, free_port, python, workspace
from benchmarks.report import Row, at_least, at_least_ratio, row
from benchmarks.system import PATH, System, noop_routes, run_load

BATCH = 100
ENQUEUE_SECONDS = 4.0
UVICORN = (
    "-m",
    "uvicorn",
    "--http",
    "httptools",
    "--loop",
    "uvloop",
    "--no-access-log",
    "--log-level",
    "warning",
)


def single(plan: Plan) -> Iterator[Row]:
    """One message a request, against a bare app and against one RQ job a message."""
    with workspace() as space:
        system = System(space, "hookyard", noop_routes(3))
        bare = uvicorn(space, "bare", "benchmarks.baselines.bare:app")
        valkey = Valkey(space, "rq-valkey")
        enqueue = uvicorn(
            space,
            "enqueue",
            "--factory",
            "benchmarks.baselines.enqueue:create_app",
            BENCH_REDIS_URL=valkey.url,
        )
        ours, bares, enqueues = [], [], []
        for turn in range(plan.repeats):
            plan.say(f"accept, one message a request, {turn + 1} of {plan.repeats}")
            count = plan.singles
            bares.append(run_load(port=bare, path=PATH, count=count, seed=turn).rate)
            ours.append(system.send(count=count, seed=turn).rate)
            enqueues.append(
                run_load(port=enqueue, path=PATH, count=count, seconds=ENQUEUE_SECONDS, seed=turn).rate
            )
    middle = statistics.median(ours)
    goals = (
        at_least_ratio(middle, 0.5, "bare uvicorn", bares),
        at_least_ratio(middle, 8, "Starlette + queue.enqueue", enqueues),
    )
    yield row("accept", "accept, one message a request, durable, 3 routes", "messages/s", ours, goals)


def batched(plan: Plan) -> Iterator[Row]:
    """A hundred messages a request, each split, deduplicated, routed and stored."""
    with workspace() as space:
        system = System(space, "hookyard", noop_routes(3))
        ours = []
        for turn in range(plan.repeats):
            plan.say(f"accept, {BATCH} messages a request, {turn + 1} of {plan.repeats}")
            ours.append(system.send(count=plan.batched, batch=BATCH, connections=16, seed=turn).rate)
    middle = statistics.median(ours)
    yield row(
        "batch",
        f"accept, {BATCH} messages a request, durable, 3 routes",
        "messages/s",
        ours,
        [at_least(middle, 25_000, "messages/s a process")],
    )


def tracked(plan: Plan) -> Iterator[Row]:
    """What libraries send: one by one, and in batches, completed as Segment would before they are stored."""
    with workspace() as space:
        system = System(space, "hookyard", noop_routes(3))
        bare = uvicorn(space, "bare", "benchmarks.baselines.bare:app")
        singles, bares, batches = [], [], []
        for turn in range(plan.repeats):
            plan.say(f"tracking API, {turn + 1} of {plan.repeats}")
            bares.append(run_load(port=bare, path=PATH, count=plan.singles, seed=turn).rate)
            singles.append(system.track("/v1/track", count=plan.singles, seed=turn).rate)
            load = {"count": plan.batched, "batch": BATCH, "connections": 16, "seed": turn}
            batches.append(system.track("/v1/batch", **load).rate)
    middle = statistics.median(singles)
    yield row(
        "tracking",
        "tracking API, one message a request, durable, 3 routes",
        "messages/s",
        singles,
        [at_least_ratio(middle, 0.5, "bare uvicorn", bares)],
    )
    yield row(
        "tracking-batch",
        f"tracking API, {BATCH} messages a request, durable, 3 routes",
        "messages/s",
        batches,
        [at_least(statistics.median(batches), 25_000, "messages/s a process")],
    )


def uvicorn(space: Workspace, name: str, *arguments: str, **environ: str) -> int:
    """Start a baseline application; answers its port."""
    port = free_port()
    space.start(name, python(*UVICORN, "--port", str(port), *arguments), **environ)
    space.wait(name, answers(port, "/livez"))
    return port
