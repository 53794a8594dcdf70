"""Rows of filtering: FQL on a parsed message, and two hundred routes with filters against three without."""

import statistics
from collections.abc import Iterator
from time import process_time
from typing import Any

from benchmarks.messages import many
from benchmarks.plan import Plan
from benchmarks.processes import workspace
from benchmarks.report import Row, at_least, at_least_ratio, row
from benchmarks.system import System, noop_routes
from receiver.core import exact_json
from receiver.core.fql import compile_fql

STATEMENT = 'type = "track" and properties.revenue > 100'
EVALUATIONS = 300_000
FILTERED = 197
BATCH = 100


def fql(plan: Plan) -> Iterator[Row]:
    """How often one statement can be asked in a second of CPU time, of messages that are parsed already."""
    predicate = compile_fql(STATEMENT)
    messages = [exact_json.loads(body) for body in many(1_000)]
    asked = messages * (EVALUATIONS // len(messages))
    rates = []
    for turn in range(plan.repeats):
        plan.say(f"FQL, {turn + 1} of {plan.repeats}")
        started = process_time()
        for message in asked:
            predicate(message)
        rates.append(len(asked) / (process_time() - started))
    middle = statistics.median(rates)
    goal = at_least(middle, 300_000, "evaluations/s of CPU")
    yield row("fql", f"FQL `{STATEMENT}`, parsed messages", "evaluations/s of CPU", rates, [goal])


def filters(plan: Plan) -> Iterator[Row]:
    """The same three routes take every message; beside them stand routes whose filters take none."""
    with workspace() as space:
        few = System(space, "few", noop_routes(3))
        much = System(space, "many", {**noop_routes(3), **_filtered(FILTERED)})
        rates: dict[tuple[str, int], list[float]] = {}
        for turn in range(plan.repeats):
            plan.say(f"accept with filters, {turn + 1} of {plan.repeats}")
            for system in (few, much):
                for batch, count in ((1, plan.singles), (BATCH, plan.batched)):
                    load = {"batch": batch, "connections": 16} if batch > 1 else {}
                    rate = system.send(count=count, seed=turn, **load).rate
                    rates.setdefault((system.name, batch), []).append(rate)
    for batch, key in ((1, "filters"), (BATCH, "filters-batch")):
        ours = rates["many", batch]
        goal = at_least_ratio(statistics.median(ours), 0.9, "3 routes", rates["few", batch])
        size = "one message" if batch == 1 else f"{batch} messages"
        yield row(key, f"accept, {size} a request, 200 routes with filters", "messages/s", ours, [goal])


def _filtered(count: int) -> dict[str, Any]:
    """Routes for an event of its own each, first those that come; half of them say all of it in FQL."""
    said = [exact_json.loads(body) for body in many(2_000)]
    events = sorted({one["event"] for one in said if one["type"] == "track"})
    events += [f"Event {number}" for number in range(count - len(events))]
    found = {}
    for number, event in enumerate(events):
        where = f"properties.revenue > {1_000_000 + number}"
        keys: dict[str, Any] = {"events": [event], "where": where}
        if number % 2:
            keys = {"where": f"type = 'track' and event = '{event}' and {where}"}
        found[f"filtered-{number}"] = {**keys, "steps": [{"handler": "benchmarks.handlers:noop"}]}
    return found
