"""Redis killed, emptied, away, frozen, read-only, full: the receiver says 503 in time, nothing that was
answered 200 is lost, and all goes on by itself."""

import random
import shutil
import signal
from pathlib import Path

import pytest

from receiver.core import keys
from receiver.core.clock import SYSTEM, pause
from tests.faults.given import ROUTES, due, flowing, served_again
from tests.support.audit import Audit
from tests.support.load import Client, Load
from tests.support.processes import until
from tests.support.stack import Stack, signal_process

pytestmark = pytest.mark.faults

FILLER = random.Random(1).randbytes(2_000).hex()
"""2 kB that no compression makes smaller."""


def test_killed_and_started_on_its_aof(tmp_path: Path) -> None:
    with Stack(tmp_path, ROUTES) as stack:
        audit = Audit(stack.notes, due)
        with Load(stack, audit, wait=0.01) as load:
            for turn in range(1, 4):
                flowing(audit)
                stack.valkey.kill()
                until(lambda turn=turn: load.statuses[503] >= turn, what="503")  # type: ignore[misc]
                stack.valkey.start()
                assert served_again(stack, audit, 15) < 5
        assert load.statuses[0] == 0
        audit.settle(stack.store)


def test_killed_and_started_empty(tmp_path: Path) -> None:
    """What it held is gone; what is sent afterwards is accepted and worked, without a human."""
    with Stack(tmp_path, ROUTES) as stack:
        before = Audit(stack.notes, due)
        with Load(stack, before, wait=0.01):
            flowing(before)
            stack.valkey.kill()
        for path in stack.valkey.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        stack.valkey.start()
        after = Audit(stack.notes, due)
        assert served_again(stack, after, 15) < 8
        with Load(stack, after, wait=0.01):
            flowing(after, 300)
        after.settle(stack.store)


@pytest.mark.parametrize("seconds", [12, 60])
def test_away_under_running_drains(tmp_path: Path, seconds: int) -> None:
    with Stack(tmp_path, ROUTES) as stack:
        audit = Audit(stack.notes, due)
        with Client(stack, audit) as client:
            assert client.post("Load", "at work", wait=2) == 200
            until(lambda: len(stack.notes.began("at work")) == 2, what="it to begin")
        with Load(stack, audit, wait=0.01, rate=50):
            flowing(audit)
            stack.valkey.kill()
            pause(seconds)  # the fault itself
            stack.valkey.start()
            assert served_again(stack, audit, 15) < 5
        audit.settle(stack.store)
        assert len(stack.notes.began("at work")) == 2, "what ended meanwhile was settled, not repeated"


def test_frozen(tmp_path: Path) -> None:
    """Connections stay open and nothing answers."""
    with Stack(tmp_path, ROUTES) as stack:
        audit = Audit(stack.notes, due)
        with Load(stack, audit, wait=0.01, connections=16) as load:
            for seconds in (0, 12):  # so long that every deadline passes
                flowing(audit)
                load.slowest_s = 0.0
                refused = load.statuses[503]
                stack.valkey.freeze()
                until(lambda before=refused: load.statuses[503] > before + 16, 15, what="503")  # type: ignore[misc]
                pause(seconds)
                stack.valkey.thaw()
                print(f"slowest answer {load.slowest_s:.1f} s")
                assert load.slowest_s < 4.5
                assert served_again(stack, audit, 15) < 5
        assert load.statuses[0] == 0
        audit.settle(stack.store)


@pytest.mark.parametrize("how", ["a replica", "too few replicas"])
def test_refusing_to_write(tmp_path: Path, how: str) -> None:
    with Stack(tmp_path, ROUTES) as stack:
        audit = Audit(stack.notes, due)
        with Load(stack, audit, wait=0.01) as load, stack.valkey.client() as client:
            flowing(audit)
            if how == "a replica":
                client.replicaof("127.0.0.1", "1")
            else:
                client.config_set("min-replicas-to-write", 1)
            until(lambda: load.statuses[503] > 20, what="503")
            if how == "a replica":
                until(lambda: not stack.ready(), what="not ready")
                client.replicaof("NO", "ONE")
            else:
                client.config_set("min-replicas-to-write", 0)
            assert served_again(stack, audit, 15) < 8
        audit.settle(stack.store)


def test_full_with_settled_messages_makes_room_by_itself(tmp_path: Path) -> None:
    """Above three quarters of maxmemory the oldest settled messages go; intake never stops for long."""
    with Stack(tmp_path, ROUTES, valkey={"maxmemory": "12mb"}) as stack:
        audit = Audit(stack.notes, due)
        began = SYSTEM.monotonic()
        with Load(stack, audit, rate=200, filler=FILLER) as load:
            until(lambda: trimmed(stack) > 0, 60, what="the first messages to go")
            flowing(audit, 2_000)
        print(f"{len(audit)} messages in {SYSTEM.monotonic() - began:.1f} s, {load.statuses}")
        audit.settle(stack.store)
        assert served_again(stack, audit, 5) < 5


@pytest.mark.parametrize("over", [False, True])
def test_full_of_work_refuses_until_drains_emptied_it(tmp_path: Path, over: bool) -> None:
    """Nothing is settled yet, so nothing can go: 503, not a crash; and the drains can still work it off, even
    `over` the limit, where Redis refuses every write that asks for memory."""
    with Stack(tmp_path, ROUTES, valkey={"maxmemory": "12mb"}) as stack:
        audit = Audit(stack.notes, due)
        signal_all(stack, signal.SIGSTOP)
        with Load(stack, audit, rate=200, filler=FILLER) as load, stack.valkey.client() as client:
            until(lambda: load.statuses[503] > 20, 60, what="503")
            assert not stack.ready()
            if over:
                client.config_set("maxmemory", "8mb")
            signal_all(stack, signal.SIGCONT)
            assert served_again(stack, audit, 30) < 30
        audit.settle(stack.store, 60)


def signal_all(stack: Stack, sent: signal.Signals) -> None:
    """To supervisor, workers and horses."""
    for pid in (stack.supervisor.pid, *stack.workers(), *stack.horses()):
        signal_process(pid, sent)


def trimmed(stack: Stack) -> int:
    """Number of the last message that retention looked at."""
    return int(stack.store.redis.hget(keys.key("META"), "cursor") or 0)
