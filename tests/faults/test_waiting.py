"""Nobody waits for somebody else: a busy queue, a slow destination, a hand-over, a blocked loop, a stop."""

import signal
from pathlib import Path

import pytest

from receiver.core import keys
from receiver.core.clock import SYSTEM, pause
from tests.faults.given import ROUTES, SHOP, due, flowing, the_horse
from tests.support.audit import Audit
from tests.support.load import Client, Load
from tests.support.processes import until
from tests.support.stack import Stack, signal_process

pytestmark = pytest.mark.faults

BUSY_AND_QUIET = f"""{SHOP}
routes:
  busy:
    events: [Busy]
    queue: heavy
    concurrency: 5
    steps:
      - handler: tests.support.noting:note
  slow:
    events: [Slow]
    concurrency: 5
    steps:
      - handler: tests.support.noting:note
  quiet:
    events: [Quiet]
    steps:
      - handler: tests.support.noting:note
"""


def routes_by_event(event: str) -> tuple[str, ...]:
    return (event.lower(),)


def at_most(latencies: list[int], ms: int) -> None:
    print(
        f"{len(latencies)} messages: median {latencies[len(latencies) // 2]} ms, slowest {latencies[-3:]} ms"
    )
    assert latencies[-1] < ms


def test_a_quiet_queue_beside_a_busy_one(tmp_path: Path) -> None:
    """5 at a time, 50 ms each, 580 a second: the busy queue falls further behind every second."""
    with (
        Stack(tmp_path, BUSY_AND_QUIET) as stack,
        Client(stack, audit := Audit(stack.notes, routes_by_event)) as client,
    ):
        until(lambda: bool(stack.drains("heavy")), what="a drain for the other queue")
        with Load(stack, audit, event="Busy", wait=0.05):
            flowing(audit, 500)
            for number in range(10):
                assert client.post("Quiet", f"quiet-{number}") == 200
                pause(0.1)  # each on its own
        until(lambda: len(audit.latencies("quiet")) == 10, what="the quiet ones")
        at_most(audit.latencies("quiet"), 900)


def test_a_slow_destination_beside_others_on_its_queue(tmp_path: Path) -> None:
    with (
        Stack(tmp_path, BUSY_AND_QUIET) as stack,
        Client(stack, audit := Audit(stack.notes, routes_by_event)) as client,
    ):
        for number in range(50):
            assert client.post("Slow", f"slow-{number}", wait=1) == 200
        for number in range(20):
            assert client.post("Quiet", f"quiet-{number}") == 200
            pause(0.05)  # each on its own
        until(lambda: len(audit.latencies("quiet")) == 20, what="the quiet ones")
        at_most(audit.latencies("quiet"), 500)
        audit.settle(stack.store)


def test_messages_aimed_at_a_hand_over(tmp_path: Path) -> None:
    """A drain is on duty for two seconds only; a message every few milliseconds hits every moment of it."""
    with Stack(tmp_path, ROUTES, environ={"HOOKYARD_DRAIN_LENGTH": "2s"}) as stack:
        audit = Audit(stack.notes, due)
        with Load(stack, audit, rate=60, connections=2):
            hand_overs, last = 0, ""
            deadline = SYSTEM.monotonic() + 60
            while hand_overs < 5 and SYSTEM.monotonic() < deadline:
                now = max(stack.drains(), default=last)
                hand_overs, last = hand_overs + (now != last), now
                pause(0.02)
        assert hand_overs == 5
        balance = audit.settle(stack.store)
        assert balance.doubles == 0
        at_most(audit.latencies("async"), 500)


def test_single_messages_aimed_at_a_hand_over(tmp_path: Path) -> None:
    """One message at a time, so that no later one can wake whoever slept through it."""
    with Stack(tmp_path, ROUTES, environ={"HOOKYARD_DRAIN_LENGTH": "1s"}) as stack:
        with Client(stack, audit := Audit(stack.notes, due)) as client:
            for number in range(120):
                assert client.post("Load", f"single-{number}") == 200
                until(lambda number=number: stack.notes.done()[f"single-{number}"] == 2, 10)  # type: ignore[misc]
                pause(0.02 + number % 10 * 0.013)
        audit.settle(stack.store)
        at_most(audit.latencies("async"), 500)


def test_a_handler_that_blocks_the_loop_costs_no_lease(tmp_path: Path) -> None:
    routes = ROUTES.replace("noting:note\n", "noting:block\n")
    with Stack(tmp_path, routes) as stack, Client(stack, audit := Audit(stack.notes, due)) as client:
        horse = the_horse(stack)
        assert client.post("Failing", "before") == 200
        assert client.post("Failing", "blocking", block=15) == 200
        assert client.post("Failing", "after") == 200
        until(lambda: stack.notes.done()["blocking"] == 1, 30, what="the end of blocking")
        audit.settle(stack.store)
        assert [note.attempt for note in stack.notes.began("blocking")] == [1]
        assert stack.notes.began("blocking")[0].pid == horse == the_horse(stack)


def test_a_deployment_in_the_middle_of_slow_handlers(tmp_path: Path) -> None:
    """SIGTERM: what can end within the grace time does, the rest is given back; that counts as no attempt."""
    with (
        Stack(tmp_path, ROUTES, environ={"HOOKYARD_GRACE": "3s"}) as stack,
        Client(stack, audit := Audit(stack.notes, due)) as client,
    ):
        for number in range(10):
            assert client.post("Load", f"ends-{number}", wait=1.5) == 200
            assert client.post("Failing", f"too-long-{number}", wait=6) == 200
        until(lambda: len(stack.notes.all()) == 30, what="all to begin")
        began = SYSTEM.monotonic()
        assert stack.supervisor.stop() == 0
        print(f"stopped after {SYSTEM.monotonic() - began:.1f} s")
        assert SYSTEM.monotonic() - began < 3 + 5
        done = stack.notes.done()
        assert all(done[f"ends-{number}"] == 2 for number in range(10))
        assert not any(f"too-long-{number}" in done for number in range(10))
        stack.supervisor.start()
        balance = audit.settle(stack.store, 40)
        assert (balance.doubles, balance.dead) == (0, {})
        attempts = {note.attempt for note in stack.notes.all()}
        assert attempts == {1}
        assert stack.store.redis.exists(keys.key("CRASHES")) == 0


def test_one_stop_signal_after_the_other(tmp_path: Path) -> None:
    """Whoever gets it, in whatever order, under load."""
    with Stack(tmp_path, ROUTES, workers=2, environ={"HOOKYARD_GRACE": "2s"}) as stack:
        audit = Audit(stack.notes, due)
        with Load(stack, audit, wait=0.05):
            for _ in range(4):
                flowing(audit)
                for pid in (*stack.workers()[:1], *stack.horses()[-1:]):
                    signal_process(pid, signal.SIGTERM)
        balance = audit.settle(stack.store)
        assert balance.dead == {}
