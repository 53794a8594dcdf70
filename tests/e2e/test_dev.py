"""`hookyard dev` as a newcomer runs it: up in seconds, shows what happens, reloads, leaves nothing behind."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from receiver.core.clock import SYSTEM
from receiver.core.data_dir import attach
from receiver.core.tether import tether
from tests.support.processes import alive, descendants, until

pytestmark = pytest.mark.e2e

ROUTES = """
sources:
  shop:
    verify: {scheme: segment, secret_env: SHOP_SECRET}
routes:
  orders:
    events: ["Order *"]
    steps:
      - handler: flows:thank
"""
HANDLER = """
def thank(message, context):
    with open("seen.txt", "a") as seen:
        print("VERSION", message.get("properties.order_id"), file=seen)
"""
HOOKYARD = [sys.executable, "-m", "receiver.cli"]


@dataclass
class Dev:
    """A running `hookyard dev`, and what it printed."""

    process: "subprocess.Popen[str]"
    lines: list[str] = field(default_factory=list)

    def follow(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def said(self, words: str) -> bool:
        return any(words in line for line in self.lines)

    def until_said(self, words: str, seconds: float = 20.0) -> None:
        try:
            until(lambda: self.said(words) or self.process.poll() is not None, seconds)
        finally:
            assert self.said(words), "\n".join(self.lines)

    def until_up(self) -> None:
        self.until_said("Ctrl-C stops everything")

    @property
    def curl(self) -> str:
        return next(line.strip() for line in self.lines if line.strip().startswith("curl "))

    def child(self, words: str) -> int:
        """Process id of the descendant whose command line holds the words."""
        for pid in descendants(self.process.pid):
            if words in Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " "):
                return pid
        raise AssertionError(f"no {words}")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "routes.yaml").write_text(ROUTES)
    (tmp_path / "flows.py").write_text(HANDLER)
    return tmp_path


@contextmanager
def dev(project: Path, *options: str) -> Iterator[Dev]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [*HOOKYARD, "dev", "--port", str(port), *options],
        cwd=project,
        env=os.environ | {"COLUMNS": "80"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=tether(signal.SIGTERM),
    )
    made = Dev(process)
    reader = threading.Thread(target=made.follow)
    reader.start()
    try:
        yield made
    finally:
        process.terminate()
        process.wait(timeout=60)
        reader.join()
        assert process.stdout is not None
        process.stdout.close()


def seen(project: Path) -> list[str]:
    file = project / "seen.txt"
    return file.read_text().splitlines() if file.exists() else []


def paste(line: str) -> str:
    """Run the printed curl line; answers headers and body."""
    return subprocess.run(line, shell=True, capture_output=True, text=True, check=True).stdout  # noqa: S602


def test_first_200_within_three_seconds_and_nothing_left_behind(project: Path) -> None:
    begun = SYSTEM.monotonic()
    with dev(project) as running:
        running.until_said("Hookyard is up")
        elapsed = SYSTEM.monotonic() - begun
        running.until_up()
        answer = paste(running.curl)
        assert "200 OK" in answer
        assert '{"success":true}' in answer.replace(" ", "")
        until(lambda: seen(project) == ["VERSION ord_1"], what="the handler")
        family = descendants(running.process.pid)
        assert len(family) >= 3
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(timeout=30) == 0
        assert not [pid for pid in family if alive(pid)]
    assert elapsed <= 3.0
    assert attach(project / ".hookyard") is None
    assert running.said("SHOP_SECRET is not set: made a random one")


def test_the_demo_shows_what_each_route_did(project: Path) -> None:
    with dev(project, "--demo") as running:
        running.until_said("What the routes did", 40)
        until(lambda: running.said("Reading List"))
        table = "\n".join(running.lines)
    assert len(re.findall(r"msg_\d+", table)) == 12
    assert re.search(r"track Order Completed +msg_\d+ +orders +delivered", table)
    assert re.search(r"page Home +msg_\d+ +\(no route\) +kept", table)
    assert max(len(line) for line in running.lines if "│" not in line and "curl" not in line) <= 110


TAKEN_OVER = "new workers have taken over"


def taken_over(running: Dev, times: int) -> None:
    until(
        lambda: sum(TAKEN_OVER in line for line in running.lines) == times, 20, what=f"{TAKEN_OVER} {times}"
    )


def test_a_changed_handler_and_a_changed_route_take_effect(project: Path) -> None:
    with dev(project) as running:
        running.until_up()
        (project / "flows.py").write_text(HANDLER.replace("VERSION", "NEW"))
        running.until_said("Changed: flows.py")
        taken_over(running, 1)
        paste(running.curl)
        until(lambda: seen(project) == ["NEW ord_1"], what="the new handler")
        (project / "routes.yaml").write_text(ROUTES.replace("Order *", "Nothing"))
        taken_over(running, 2)
        paste(running.curl)
        (project / "routes.yaml").write_text(ROUTES)
        taken_over(running, 3)
        paste(running.curl)
        until(lambda: len(seen(project)) == 2, what="the handler again")
        assert sum("receiver │ routes.yaml in force" in line for line in running.lines) == 2


def test_a_module_that_a_handler_loads_counts_wherever_it_stands(project: Path) -> None:
    (project / "shared" / "texts").mkdir(parents=True)
    (project / "shared" / "texts" / "words.py").write_text("WORD = 'OLD'\n")
    handler = "from shared.texts.words import WORD\n" + HANDLER.replace('"VERSION"', "WORD")
    assert "WORD" in handler.splitlines()[-1]
    (project / "flows.py").write_text(handler)
    with dev(project) as running:
        running.until_up()
        (project / "shared" / "texts" / "words.py").write_text("WORD = 'NEW'\n")
        running.until_said("Changed: words.py")
        taken_over(running, 1)
        paste(running.curl)
        until(lambda: seen(project) == ["NEW ord_1"], what="the new word")


def test_what_runs_when_a_handler_changes_comes_to_its_end_and_holds_nobody(project: Path) -> None:
    slow = HANDLER.replace("def thank", "import time\n\n\ndef thank", 1).replace(
        "    with", "    time.sleep(6)\n    with", 1
    )
    (project / "flows.py").write_text(slow)
    with dev(project) as running:
        running.until_up()
        paste(running.curl)
        until(lambda: "running" in told_of(project), what="the slow one to run")
        (project / "flows.py").write_text(HANDLER.replace("VERSION", "NEW"))
        taken_over(running, 1)
        paste(running.curl)
        until(lambda: seen(project) == ["NEW ord_1"], 5, what="the new handler, first")
        until(lambda: seen(project) == ["NEW ord_1", "VERSION ord_1"], what="the old one, once")


def told_of(project: Path) -> str:
    shown = subprocess.run([*HOOKYARD, "message", "msg_1"], capture_output=True, text=True, check=False)
    return shown.stdout


def test_a_source_that_needs_a_secret_gets_one_while_it_runs(project: Path) -> None:
    more = "  other:\n    verify: {scheme: segment, secret_env: OTHER_SECRET}\nroutes:"
    with dev(project) as running:
        running.until_up()
        (project / "routes.yaml").write_text(ROUTES.replace("routes:", more))
        running.until_said("OTHER_SECRET is not set: made a random one")
        url = running.curl.split()[2].replace("/hooks/shop", "/hooks/other")
        until(lambda: "401" in paste(f"curl -si -X POST {url} -d '{{}}'"), what="the new source")


def test_what_is_not_valid_stays_out_and_is_said(project: Path) -> None:
    with dev(project) as running:
        running.until_up()
        paste(running.curl)
        until(lambda: len(seen(project)) == 1, what="the workers to be up")
        (project / "routes.yaml").write_text(ROUTES.replace("events", "evnts"))
        running.until_said("routes.yaml changed, but is not valid")
        running.until_said("evnts")
        (project / "routes.yaml").write_text(ROUTES)
        (project / "flows.py").write_text("def thank(:")
        running.until_said("flows.py changed, but is not valid")
        paste(running.curl)
        until(lambda: seen(project) == ["VERSION ord_1"] * 2, what="the old handler")


@pytest.mark.parametrize("words", ["valkey-server", "receiver.cli receiver", "workers run"])
def test_a_child_that_dies_is_started_again_and_the_line_goes_on(project: Path, words: str) -> None:
    with dev(project) as running:
        running.until_up()
        os.kill(running.child(words), signal.SIGKILL)
        running.until_said("was ended by SIGKILL; starts again")
        until(lambda: "200 OK" in paste(running.curl), what="a 200")
        until(lambda: bool(seen(project)), what="the handler")


def test_killed_with_9_it_leaves_nothing_behind_and_starts_again(project: Path) -> None:
    with dev(project) as running:
        running.until_up()
        paste(running.curl)
        family = descendants(running.process.pid)
        running.process.kill()
        until(lambda: not [pid for pid in family if alive(pid)], 40, what="all children to end")
    with dev(project) as running:
        running.until_up()
        assert not running.said("made a random one")


def test_a_second_one_on_the_folder_is_told_why_not(project: Path) -> None:
    with dev(project) as running:
        running.until_up()
        second = subprocess.run(
            [*HOOKYARD, "dev", "--port", "0"], capture_output=True, text=True, check=False
        )
        assert second.returncode == 1
        assert "already runs" in second.stderr
        assert f"process {running.process.pid}" in second.stderr


def test_a_taken_port_is_said_and_exits_2(project: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        ended = subprocess.run(
            [*HOOKYARD, "dev", "--port", port], capture_output=True, text=True, check=False
        )
    assert ended.returncode == 2
    assert f"port {port}" in ended.stderr
    assert attach(project / ".hookyard") is None


def test_other_commands_attach_by_themselves(project: Path) -> None:
    with dev(project) as running:
        running.until_up()
        told = subprocess.run([*HOOKYARD, "doctor", "--json"], capture_output=True, text=True, check=False)
        findings = json.loads(told.stdout)["findings"]
        assert told.returncode == 0, findings
        assert {"title": "persistence", "level": "ok"}.items() <= next(
            item for item in findings if item["title"] == "persistence"
        ).items()
    alone = subprocess.run([*HOOKYARD, "receiver"], capture_output=True, text=True, check=False)
    assert alone.returncode == 2
    assert "hookyard dev" in alone.stderr


def test_requests_wait_while_the_receiver_restarts(project: Path) -> None:
    with dev(project) as running:
        running.until_up()
        os.kill(running.child("receiver.cli receiver"), signal.SIGKILL)
        url = running.curl.split()[2].rpartition("/hooks")[0] + "/livez"
        with urllib.request.urlopen(url, timeout=15) as answer:  # noqa: S310
            assert answer.status == 200
