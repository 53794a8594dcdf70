"""How long a person waits: `hookyard dev` in an empty folder, to the first message answered 200."""

import contextlib
import hmac
import http.client
import json
import statistics
from collections.abc import Iterator

from benchmarks.messages import many
from benchmarks.plan import Plan
from benchmarks.processes import Workspace, free_port, hookyard, workspace
from benchmarks.report import Row, at_most, row
from benchmarks.system import PATH, SECRET, noop_routes
from receiver.core.clock import SYSTEM


def startup(plan: Plan) -> Iterator[Row]:
    """From the start of the command; a new data folder each time."""
    samples = []
    for turn in range(plan.repeats):
        plan.say(f"hookyard dev to the first 200, {turn + 1} of {plan.repeats}")
        with workspace() as space:
            samples.append(first_answer(space))
    middle = statistics.median(samples)
    yield row("dev", "`hookyard dev` to the first 200", "s", samples, [at_most(middle, 3, "s")])


def first_answer(space: Workspace) -> float:
    source = {"verify": {"scheme": "segment", "secret_env": ["BENCH_SECRET"]}}
    routes = {"sources": {"shop": source}, "routes": noop_routes(1)}
    (space.folder / "routes.yaml").write_text(json.dumps(routes))
    port = free_port()
    start = SYSTEM.monotonic()
    space.start("dev", hookyard("dev"), HOOKYARD_PORT=str(port), BENCH_SECRET=SECRET)
    space.wait("dev", lambda: accepted(port))
    return SYSTEM.monotonic() - start


def accepted(port: int) -> bool:
    body = many(1)[0]
    signature = hmac.new(SECRET.encode(), body, "sha1").hexdigest()
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request(
                "POST", PATH, body, {"X-Signature": signature, "Content-Type": "application/json"}
            )
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
