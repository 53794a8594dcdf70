"""Hookyard itself, as a user would run it: a receiver, workers, and a durable Valkey of their own."""

import json
import subprocess
from typing import Any

import msgspec
from redis import Redis

from benchmarks.load import Load, Result
from benchmarks.processes import (
    BenchmarkFailed,
    Valkey,
    Workspace,
    answers,
    environment,
    free_port,
    hookyard,
    python,
)
from receiver.core import keys
from receiver.core.clock import SYSTEM, pause

SECRET = "benchmark-secret"
PATH = "/hooks/shop"
WRITE_KEY = "benchmark-write-key"
SETTLE_SECONDS = 180.0


def noop_routes(count: int, handler: str = "noop") -> dict[str, Any]:
    """So many routes that each take every message."""
    step = {"handler": f"benchmarks.handlers:{handler}"}
    return {f"route-{number}": {"concurrency": 1000, "steps": [step]} for number in range(1, count + 1)}


class System:
    """A running receiver on its Valkey; workers are started and stopped by the row."""

    def __init__(
        self,
        space: Workspace,
        name: str,
        routes: dict[str, Any],
        connections: dict[str, Any] | None = None,
    ) -> None:
        self._space = space
        self.name = name
        file = space.folder / f"{name}.yaml"
        source: dict[str, Any] = {"verify": {"scheme": "segment", "secret_env": ["BENCH_SECRET"]}}
        source["write_key_env"] = "BENCH_WRITE_KEY"
        file.write_text(
            json.dumps({"sources": {"shop": source}, "connections": connections or {}, "routes": routes})
        )
        self.valkey = Valkey(space, f"{name}-valkey")
        self.latencies = space.folder / f"{name}.latencies"
        self.environ = {
            "HOOKYARD_REDIS_URL": self.valkey.url,
            "HOOKYARD_ROUTES": str(file),
            "HOOKYARD_DATA_DIR": str(space.folder / f"{name}-data"),
            "HOOKYARD_LOG_LEVEL": "WARNING",
            "BENCH_SECRET": SECRET,
            "BENCH_WRITE_KEY": WRITE_KEY,
            "BENCH_LATENCIES": str(self.latencies),
        }
        self.port = free_port()
        self.receiver = space.start(
            f"{name}-receiver", hookyard("receiver", "--port", str(self.port)), **self.environ
        )
        space.wait(f"{name}-receiver", answers(self.port, "/readyz"))
        self.redis: Redis = self.valkey.client()

    def start_workers(self) -> subprocess.Popen[bytes]:
        """One worker for the one queue."""
        return self._space.start(f"{self.name}-workers", hookyard("workers", "-n", "1"), **self.environ)

    def stop(self, child: subprocess.Popen[bytes]) -> None:
        self._space.stop(child)

    def send(self, **load: Any) -> Result:
        """Post generated messages, signed; every one must be answered 200."""
        return run_load(port=self.port, path=PATH, secret=SECRET, **load)

    def track(self, path: str, **load: Any) -> Result:
        """The same by the tracking API."""
        return run_load(port=self.port, path=path, write_key=WRITE_KEY, **load)

    def owed(self) -> int:
        """Messages with open deliveries."""
        return self.redis.hlen(keys.key("OWED"))

    def settled(self, done: int = 0) -> float:
        """Wait until at most `done` messages have open deliveries; answers when (monotonic s)."""
        deadline = SYSTEM.monotonic() + SETTLE_SECONDS
        while (left := self.owed()) > done:
            if SYSTEM.monotonic() > deadline:
                log = self._space.tail(f"{self.name}-workers")
                raise BenchmarkFailed(f"{left} messages still open after {SETTLE_SECONDS:.0f} s:\n{log}")
            pause(0.005)
        return SYSTEM.monotonic()

    def delivered_rate(self, count: int) -> float:
        """Messages a second that one worker settles, from the first to the last of `count` that wait."""
        worker = self.start_workers()
        try:
            start = self.settled(count - 1)
            left = self.owed()
            return left / (self.settled() - start)
        finally:
            self.stop(worker)


def run_load(**fields: Any) -> Result:
    """Run `benchmarks.load` in a process of its own; raises BenchmarkFailed unless every answer is 200."""
    load = Load(**fields)
    done = subprocess.run(
        python("-m", "benchmarks.load", msgspec.json.encode(load).decode()),
        capture_output=True,
        env=environment(),
        timeout=load.seconds + 120,
        check=False,
    )
    if done.returncode != 0:
        raise BenchmarkFailed(f"the load generator failed:\n{done.stderr.decode()[-2000:]}")
    result = msgspec.json.decode(done.stdout, type=Result)
    if result.failed or not result.messages:
        raise BenchmarkFailed(
            f"not every request was answered 200: {result.statuses}, {result.failed} failed"
        )
    return result


def run_baseline(module: str, *arguments: str, **environ: str) -> float:
    """Run a baseline that prints its rate as JSON."""
    done = subprocess.run(
        python("-m", f"benchmarks.baselines.{module}", *arguments),
        capture_output=True,
        env={**environment(), **environ},
        timeout=300,
        check=False,
    )
    if done.returncode != 0:
        raise BenchmarkFailed(f"baseline {module} failed:\n{done.stderr.decode()[-2000:]}")
    return float(json.loads(done.stdout)["rate"])
