"""Rows of accepting: HTTP in, durable, three routes matched, nobody working."""

import statistics
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.load import Result
from benchmarks.plan import Plan
from benchmarks.processes import (
    Valkey,
    Workspace,
    answers,
    cpu_seconds,
    free_port,
    python,
    workspace,
)
from benchmarks.report import Row, at_least, at_least_ratio, at_most_ratio, row
from benchmarks.system import PATH, System, noop_routes, run_load

BATCH = 100
ENQUEUE_TIMES = 8
CPU_TIMES = {"accept": 4.0, "tracking": 4.5}
"""Bounds of a request's CPU time in the receiver, in those of a bare uvicorn app: see
docs/decisions/single-requests.md."""
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
        yield from _one_by_one(plan, space, system.receiver, system.send, "accept", "accept")


def batched(plan: Plan) -> Iterator[Row]:
    """A hundred messages a request, each split, deduplicated, routed and stored."""
    with workspace() as space:
        system = System(space, "hookyard", noop_routes(3))
        yield _in_batches(plan, system.send, "batch", "accept")


def tracked(plan: Plan) -> Iterator[Row]:
    """What libraries send: one by one, and in batches, completed as Segment would before they are stored."""
    with workspace() as space:
        system = System(space, "hookyard", noop_routes(3))

        def track(**load: Any) -> Result:
            return system.track("/v1/batch" if "batch" in load else "/v1/track", **load)

        yield from _one_by_one(plan, space, system.receiver, track, "tracking", "tracking API")
        yield _in_batches(plan, track, "tracking-batch", "tracking API")


def _one_by_one(
    plan: Plan,
    space: Workspace,
    receiver: "subprocess.Popen[bytes]",
    send: Callable[..., Result],
    key: str,
    name: str,
) -> Iterator[Row]:
    bare_port, bare_app = uvicorn(space, "bare", "benchmarks.baselines.bare:app")
    valkey = Valkey(space, "rq-valkey")
    enqueue_port, _ = uvicorn(
        space,
        "enqueue",
        "--factory",
        "benchmarks.baselines.enqueue:create_app",
        BENCH_REDIS_URL=valkey.url,
    )
    ours, bares, enqueues = _Samples(receiver), _Samples(bare_app), []
    for turn in range(plan.repeats):
        plan.say(f"{name}, one message a request, {turn + 1} of {plan.repeats}")
        load = {"count": plan.singles, "seed": turn}
        bares.take(run_load, port=bare_port, path=PATH, **load)
        ours.take(send, **load)
        enqueues.append(run_load(port=enqueue_port, path=PATH, seconds=ENQUEUE_SECONDS, **load).rate)
    middle, bare = statistics.median(ours.rates), statistics.median(bares.rates)
    yield row(
        key,
        f"{name}, one message a request, durable, 3 routes",
        "messages/s",
        ours.rates,
        [at_least_ratio(middle, ENQUEUE_TIMES, "Starlette + queue.enqueue", enqueues)],
        note=f"{middle / bare:.2f} × a bare uvicorn app, which answered {bare:,.0f}/s and kept nothing",
    )
    used = statistics.median(ours.cpu_us)
    yield row(
        f"{key}-cpu",
        f"{name}, one message a request, CPU time of the receiver",
        "µs",
        ours.cpu_us,
        [at_most_ratio(used, CPU_TIMES[key], "bare uvicorn", bares.cpu_us)],
    )


def _in_batches(plan: Plan, send: Callable[..., Result], key: str, name: str) -> Row:
    rates = []
    for turn in range(plan.repeats):
        plan.say(f"{name}, {BATCH} messages a request, {turn + 1} of {plan.repeats}")
        rates.append(send(count=plan.batched, batch=BATCH, connections=16, seed=turn).rate)
    return row(
        key,
        f"{name}, {BATCH} messages a request, durable, 3 routes",
        "messages/s",
        rates,
        [at_least(statistics.median(rates), 25_000, "messages/s a process")],
    )


class _Samples:
    """Rates of one process under load, and the CPU time it takes for a message."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self.rates: list[float] = []
        self.cpu_us: list[float] = []

    def take(self, send: Callable[..., Result], **load: Any) -> None:
        before = cpu_seconds(self._process)
        result = send(**load)
        self.rates.append(result.rate)
        self.cpu_us.append((cpu_seconds(self._process) - before) / result.messages * 1e6)


def uvicorn(
    space: Workspace, name: str, *arguments: str, **environ: str
) -> "tuple[int, subprocess.Popen[bytes]]":
    """Start a baseline application; answers its port and its process."""
    port = free_port()
    process = space.start(name, python(*UVICORN, "--port", str(port), *arguments), **environ)
    space.wait(name, answers(port, "/livez"))
    return port, process
