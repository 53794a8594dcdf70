"""Processes killed with -9 under load: what was answered 200 arrives, or is a dead letter with a reason."""

import signal
from pathlib import Path

import pytest

from receiver.core.clock import SYSTEM
from tests.faults.given import ROUTES, due, flowing, served_again, the_horse, wait_for_end
from tests.support.audit import Audit
from tests.support.load import Client, Load
from tests.support.processes import alive, parent, until
from tests.support.stack import Stack, signal_process

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("killed", ["horse", "worker", "both"])
def test_a_worker_process(tmp_path: Path, killed: str) -> None:
    with Stack(tmp_path, ROUTES) as stack:
        audit = Audit(stack.notes, due)
        with Load(stack, audit, wait=0.01):
            flowing(audit)
            for _ in range(2):
                horse = the_horse(stack)
                worker = parent(horse)
                for pid in {"horse": [horse], "worker": [worker], "both": [worker, horse]}[killed]:
                    signal_process(pid, signal.SIGKILL)
                assert served_again(stack, audit, 15) < 15
                wait_for_end(horse)
                flowing(audit)
        audit.settle(stack.store)
        until(lambda: len(stack.drains()) == 1, 15, what="one drain on duty")


def test_a_worker_whose_horse_works_on_a_long_delivery(tmp_path: Path) -> None:
    """The horse ends what it has, for up to the grace time; meanwhile others must be served."""
    with Stack(tmp_path, ROUTES) as stack, Client(stack, audit := Audit(stack.notes, due)) as client:
        assert client.post("Load", "long", wait=8) == 200
        until(lambda: len(stack.notes.began("long")) == 2, what="the long delivery to begin")
        horse, drains = the_horse(stack), stack.drains()
        signal_process(parent(horse), signal.SIGKILL)
        until(lambda: stack.drains() != drains, what="the old drain to step down")
        assert served_again(stack, audit, 15) < 5
        assert alive(horse)
        audit.settle(stack.store)
        assert len(stack.notes.began("long")) == 2, "it was let finish, not begun again"


def test_the_supervisor(tmp_path: Path) -> None:
    with Stack(tmp_path, ROUTES) as stack:
        audit = Audit(stack.notes, due)
        with Load(stack, audit, wait=0.01):
            flowing(audit)
            below = stack.workers() + stack.horses()
            stack.supervisor.kill()
            wait_for_end(*below)
            flowing(audit)  # accepted, although nobody works it
            stack.supervisor.start()
            assert served_again(stack, audit, 15) < 15
        audit.settle(stack.store)


def test_supervisor_workers_and_horses_at_once(tmp_path: Path) -> None:
    """As when the machine of the workers loses power: nobody is left to free what they had."""
    with Stack(tmp_path, ROUTES) as stack:
        audit = Audit(stack.notes, due)
        with Load(stack, audit, wait=0.01):
            flowing(audit)
            below = stack.workers() + stack.horses()
            for pid in [stack.supervisor.pid, *below]:
                signal_process(pid, signal.SIGSTOP)  # so that none of them sees another one die
            stack.supervisor.kill()
            for pid in below:
                signal_process(pid, signal.SIGKILL)
            stack.supervisor.start()
            assert served_again(stack, audit, 15) < 15
        audit.settle(stack.store)


def test_the_receiver(tmp_path: Path) -> None:
    with Stack(tmp_path, ROUTES) as stack:
        audit = Audit(stack.notes, due)
        with Load(stack, audit, wait=0.01) as load:
            for _ in range(3):
                flowing(audit)
                stack.receiver.kill()
                until(lambda: load.statuses[0] > 0, what="requests without an answer")
                stack.restart_receiver()
            assert served_again(stack, audit, 10) < 5
        audit.settle(stack.store)


def test_a_horse_that_was_frozen_comes_back_as_a_stranger(tmp_path: Path) -> None:
    """Its leases ended meanwhile: what it says of its old deliveries counts no more, and does no harm."""
    with Stack(tmp_path, ROUTES) as stack:
        audit = Audit(stack.notes, due)
        with Load(stack, audit, wait=0.01, rate=100):
            flowing(audit)
            horse = the_horse(stack)
            drain = stack.drains()
            signal_process(horse, signal.SIGSTOP)
            until(lambda: stack.drains() != drain, 15, what="its duty to end")
            signal_process(horse, signal.SIGCONT)
            assert served_again(stack, audit, 15) < 5
            flowing(audit)
        audit.settle(stack.store)


def test_retries_and_dead_letters_survive_kills(tmp_path: Path) -> None:
    with Stack(tmp_path, ROUTES) as stack, Client(stack, audit := Audit(stack.notes, due)) as client:
        for number in range(60):
            assert client.post("Failing", f"twice-{number}", fail=2) == 200
            assert client.post("Failing", f"for-ever-{number}", fail=99) == 200
            assert client.post("Failing", f"invalid-{number}", invalid=True) == 200
            if number % 20 == 10:
                signal_process(the_horse(stack), signal.SIGKILL)
        balance = audit.settle(stack.store)
        assert balance.dead == {"handler_retry": 60, "invalid_event_payload": 60}
        assert balance.delivered == 60
        done = stack.notes.done("failing")
        assert set(done) == {f"twice-{number}" for number in range(60)}


@pytest.mark.parametrize("poison", ["kill", "exit"])
def test_a_poison_message_costs_the_others_nothing_but_time(tmp_path: Path, poison: str) -> None:
    routes = ROUTES.replace("tests.support.noting:note\n", "tests.support.noting:poison\n")
    with Stack(tmp_path, routes) as stack, Client(stack, audit := Audit(stack.notes, due)) as client:
        began = SYSTEM.monotonic()
        for number in range(20):
            assert client.post("Failing", f"good-{number}", wait=0.3) == 200
        assert client.post("Failing", "bad", poison=poison) == 200
        for number in range(20, 40):
            assert client.post("Failing", f"good-{number}", wait=0.3) == 200
        balance = audit.settle(stack.store, 60)
        print(f"{SYSTEM.monotonic() - began:.1f} s, {len(stack.notes.began('bad'))} crashes")
        assert balance.dead == {"worker_crashed": 1}
        assert len(stack.notes.began("bad")) >= 3
