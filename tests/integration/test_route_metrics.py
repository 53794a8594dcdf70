"""/metrics as it is asked of the store: what became of the deliveries of each route, and who lives."""

import asyncio
from pathlib import Path

import pytest

from receiver.cli.main import run
from receiver.core import processes, scripts
from receiver.core.clients import connect_async
from receiver.core.clock import SYSTEM
from receiver.core.errors import Unavailable
from receiver.core.metrics import Metrics
from receiver.core.processes import Process
from receiver.process_metrics import ProcessMetrics
from receiver.route_metrics import RouteMetrics
from tests.support import yard
from tests.support.yard import IDENTIFY, ORDER, PAGE, SCREEN, Yard
from workers.api import Message, SegmentLoop

ROUTES = """
  round:
    types: [screen]
    steps: [handler: tests.integration.test_route_metrics:round_again]
"""


async def round_again(message: Message) -> None:
    raise SegmentLoop("it came from here")


def asked(url: str) -> str:
    async def main() -> str:
        metrics, client = Metrics(), connect_async(url)
        try:
            await RouteMetrics(client).refresh(metrics)
            await ProcessMetrics(client).refresh(metrics)
        finally:
            await client.aclose()
        return metrics.text().decode()

    return asyncio.run(main())


def test_attempts_are_counted_by_route_and_outcome(
    redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yard, "ROUTES", yard.ROUTES + ROUTES)
    made = Yard(redis_url, tmp_path)
    made.accept(ORDER, ORDER, IDENTIFY, PAGE, SCREEN)
    made.settle()
    text = asked(redis_url)
    for line in (
        'hookyard_attempts_total{outcome="delivered",route="orders"} 2.0',
        'hookyard_attempts_total{outcome="dead",route="orders"} 0.0',
        'hookyard_attempts_total{outcome="dead",route="crm"} 1.0',
        'hookyard_attempts_total{outcome="retried",route="later"} 1.0',
        'hookyard_attempts_total{outcome="dropped",route="round"} 1.0',
        'hookyard_segment_loops_total{route="round"} 1.0',
        'hookyard_segment_loops_total{route="orders"} 0.0',
        'hookyard_backlog{route="orders"} 0.0',
    ):
        assert line in text


def test_what_was_cleared_by_hand_and_who_lives(worked: Yard) -> None:
    assert run(["routes", "pause", "later"]) == run(["routes", "drop", "later", "--yes"]) == 0
    live(worked, "r", "routes.yaml:3: bad")
    live(worked, "w")
    text = asked(worked.setup.url)
    for line in (
        'hookyard_deliveries_cleared_total{how="removed",route="later"} 1.0',
        "hookyard_messages_purged_total 0.0",
        'hookyard_processes{kind="receiver",version="v"} 2.0',
        'hookyard_processes_refusing{kind="receiver"} 1.0',
        'hookyard_processes_refusing{kind="workers"} 0.0',
    ):
        assert line in text


def live(yard: Yard, name: str, refused: str = "") -> None:
    one = Process(name=name, kind="receiver", host="h", pid=7, version="v", refused=refused)
    scripts.run_now(yard.redis, processes.beat(one, now_ms=SYSTEM.now_ms()))


def test_without_redis_it_says_so() -> None:
    with pytest.raises(Unavailable):
        asked("redis://127.0.0.1:9")
