"""routes.yaml changes while messages flow and processes are killed: what was answered 200 arrives."""

import signal
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import pytest

from receiver.core import processes, scripts
from receiver.core.clock import SYSTEM
from receiver.core.processes import Process
from tests.faults.given import SHOP, flowing, the_horse
from tests.support.audit import Audit
from tests.support.load import Client, Load
from tests.support.processes import until
from tests.support.stack import Stack, signal_process

pytestmark = pytest.mark.faults

ROUTE = """
  {name}:
    events: [{event}]
    retry: [100ms, 200ms]
    concurrency: {concurrency}
    queue: {queue}
    steps:
      - handler: {handler}
"""


def routes(*made: str) -> str:
    return f"{SHOP}\nroutes:{''.join(made)}"


def route(
    name: str,
    event: str = "Load",
    *,
    queue: str = "default",
    concurrency: int = 20,
    handler: str = "tests.support.noting:note",
) -> str:
    return ROUTE.format(name=name, event=event, queue=queue, concurrency=concurrency, handler=handler)


def due(event: str) -> Iterable[str]:
    return {"Load": ("load",), "Later": ("added",), "Other": ("other",)}[event]


def write(folder: Path, text: str) -> None:
    """As a deployment does it."""
    (folder / "new").write_text(text)
    (folder / "new").rename(folder / "routes.yaml")


def processes_of(stack: Stack) -> list[Process]:
    return scripts.run_now(stack.store.redis, processes.listed(now_ms=SYSTEM.now_ms()))


def versions(stack: Stack, kind: str) -> set[str]:
    return {one.version for one in processes_of(stack) if one.kind == kind}


def test_routes_and_queues_come_and_go_under_load(tmp_path: Path) -> None:
    with (
        Stack(tmp_path, routes(route("load"))) as stack,
        Client(stack, audit := Audit(stack.notes, due)) as client,
    ):
        with Load(stack, audit, wait=0.01) as load:
            flowing(audit)
            write(tmp_path, routes(route("load", concurrency=5), route("added", "Later", queue="own")))
            until(lambda: bool(stack.drains("own")), what="a drain of the new queue")
            assert client.post("Later", "to-the-new-one") == 200
            until(lambda: stack.notes.done("added")["to-the-new-one"] == 1, what="its delivery")
            flowing(audit)
            write(tmp_path, routes(route("load", concurrency=5), route("added", "Later")))
            until(lambda: not stack.workers("own"), what="the queue's workers to end")
            assert client.post("Later", "to-the-moved-one") == 200
            until(lambda: stack.notes.done("added")["to-the-moved-one"] == 1, what="its delivery")
        assert set(load.statuses) == {200}
        assert stack.store.routes()[1].concurrency == 5
        assert audit.settle(stack.store).doubles == 0


def test_a_file_that_does_not_hold_changes_nothing(tmp_path: Path) -> None:
    with Stack(tmp_path, routes(route("load"))) as stack:
        audit = Audit(stack.notes, due)
        with Load(stack, audit, wait=0.01):
            flowing(audit)
            before = stack.drains()
            write(tmp_path, routes(route("load"), route("added", "Later", handler="nowhere:f")))
            until(lambda: "no module nowhere" in stack.supervisor.tail(), what="the reason in the log")
            assert f"{tmp_path.name}" not in stack.supervisor.tail()
            assert stack.supervisor.tail().count("is not put in force") == 1
            flowing(audit)
            assert stack.drains() == before
            signal_process(the_horse(stack), signal.SIGKILL)  # who comes now knows the old one only
            flowing(audit)
        audit.settle(stack.store)


@pytest.mark.parametrize("killed", ["horse", "supervisor", "receiver"])
def test_a_process_dies_in_the_middle_of_a_reload(tmp_path: Path, killed: str) -> None:
    with Stack(tmp_path, routes(route("load"))) as stack:
        audit = Audit(stack.notes, due)
        with Load(stack, audit, wait=0.05):
            for turn in range(1, 4):
                flowing(audit)
                write(tmp_path, routes(route("load", concurrency=20 + turn), route("added", "Later")))
                signal_process(stack.supervisor.pid, signal.SIGHUP)
                until(partial(reloaded, stack, turn), what="the reload")
                if killed == "horse":
                    until(lambda: bool(stack.horses()), what="a work horse")
                    for horse in stack.horses():
                        signal_process(horse, signal.SIGKILL)
                elif killed == "supervisor":
                    stack.supervisor.kill()
                    stack.supervisor.start()
                    until(lambda: bool(stack.horses()), what="workers")
                else:
                    stack.receiver.kill()
                    stack.restart_receiver()
            flowing(audit)
        audit.settle(stack.store, 60)


def test_workers_with_different_files_lose_nothing_and_kill_nothing(tmp_path: Path) -> None:
    """A machine was forgotten: it is started again with its old file, and publishes again after an outage."""
    mine, forgotten = tmp_path / "mine", tmp_path / "forgotten"
    mine.mkdir()
    forgotten.mkdir()
    before = routes(route("load", concurrency=3))
    after = routes(route("load", concurrency=30), route("added", "Later"))
    with Stack(mine, before) as stack, Client(stack, audit := Audit(stack.notes, due)) as client:
        other = stack.other_workers(forgotten, before)
        other.start()
        try:
            until(lambda: alive_supervisors(stack) == 2, what="both supervisors")
            write(mine, after)
            until(lambda: len(versions(stack, "workers")) == 2, what="the one that was told")
            until(lambda: versions(stack, "receiver") < versions(stack, "workers"), what="the receiver")
            other.kill()
            other.start()
            with Load(stack, audit, wait=0.02):
                flowing(audit)
                stack.valkey.kill()
                stack.valkey.start()
                flowing(audit, 300)
                until(lambda: client.post("Later", "first") == 200, what="a 200")
                for number in range(50):
                    assert client.post("Later", f"new-{number}") == 200
            assert audit.settle(stack.store).dead == {}
            limits = {one.name: one.concurrency for one in stack.store.routes()}
            assert limits == {"load": 30, "added": 20}
            assert "routes.yaml differs" in stack.hookyard("doctor")
        finally:
            other.stop()


HANDLER = """
def note(message, context):
    with open("seen.txt", "a") as seen:
        print("{word}", file=seen)
"""


def test_handlers_alone_are_loaded_anew_on_sighup_and_broken_ones_are_not(tmp_path: Path) -> None:
    (tmp_path / "flows.py").write_text(HANDLER.format(word="old"))
    (tmp_path / "seen.txt").touch()
    with (
        Stack(tmp_path, routes(route("load", handler="flows:note"))) as stack,
        Client(stack, Audit(stack.notes, due)) as client,
    ):
        assert client.post("Load", "first") == 200
        until(partial(has_seen, tmp_path, "old"), what="the old handler")
        (tmp_path / "flows.py").write_text(HANDLER.format(word="new"))
        signal_process(stack.supervisor.pid, signal.SIGHUP)
        until(lambda: "have taken over" in stack.supervisor.tail(), what="new workers")
        assert client.post("Load", "second") == 200
        until(partial(has_seen, tmp_path, "old new"), what="the new handler")
        (tmp_path / "flows.py").write_text("def note(:")
        signal_process(stack.supervisor.pid, signal.SIGHUP)
        until(lambda: "is not put in force" in stack.supervisor.tail(), what="the refusal")
        assert client.post("Load", "third") == 200
        until(partial(has_seen, tmp_path, "old new new"), what="the same handler")
        until(lambda: any("SyntaxError" in one.refused for one in processes_of(stack)), what="the beat")
        assert "SyntaxError" in stack.hookyard("doctor")


def has_seen(folder: Path, words: str) -> bool:
    return (folder / "seen.txt").read_text().split() == words.split()


def reloaded(stack: Stack, times: int) -> bool:
    return stack.supervisor.log.read_text().count("in force") == times


def alive_supervisors(stack: Stack) -> int:
    return sum(one.kind == "workers" for one in processes_of(stack))
