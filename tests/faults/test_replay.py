"""A replay whose walker is killed with -9 goes on where it stood: nothing skipped, nothing pushed twice."""

import signal
from pathlib import Path

import pytest

from receiver.core import replays
from receiver.core.clock import SYSTEM
from receiver.core.replays import Plan
from receiver.core.selection import Selection
from tests.faults.given import ROUTES, due
from tests.support.audit import Audit, open_work
from tests.support.load import Client
from tests.support.processes import until
from tests.support.stack import Stack, signal_process

pytestmark = pytest.mark.faults

MESSAGES = 300
RATE = 60.0


def test_killed_in_the_middle(tmp_path: Path) -> None:
    with Stack(tmp_path, ROUTES) as stack, Client(stack, audit := Audit(stack.notes, due)) as client:
        for first in range(0, MESSAGES, 100):
            assert client.post("Failing", *(f"m-{number}" for number in range(first, first + 100))) == 200
        audit.settle(stack.store)
        redis, last = stack.store.redis, stack.store.last_number()
        plan = Plan(selection=Selection(), routes=("failing",), rate=RATE)
        replay = replays.create(redis, plan, first=1, last=last, now_ms=SYSTEM.now_ms())
        stack.store.jobs.enqueue_replay(replay, f"replay-{replay}-first")
        until(lambda: cursor(stack, replay) > MESSAGES // 4, 30, what="the walk")
        for pid in (*stack.workers("replay"), *stack.horses("replay")):
            signal_process(pid, signal.SIGKILL)
        until(lambda: replays.progress(redis, replay).over, 60, what="the replay's end")  # type: ignore[union-attr]
        found = replays.progress(redis, replay)
        assert found is not None
        assert (found.state, found.deliveries, found.delivered) == ("done", MESSAGES, MESSAGES)
        replayed = stack.notes.done("failing", replay=replay)
        assert replayed == {f"m-{number}": 1 for number in range(MESSAGES)}
        assert not open_work(stack.store)


def cursor(stack: Stack, replay: int) -> int:
    found = replays.progress(stack.store.redis, replay)
    assert found is not None
    return found.cursor
