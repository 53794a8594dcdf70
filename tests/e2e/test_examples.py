"""The worked examples, run as their READMEs say, in copies of their folders."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from receiver.core.data_dir import attach
from tests.support.processes import until
from tests.support.stack import Process

pytestmark = pytest.mark.e2e

EXAMPLES = Path(__file__).parents[2] / "examples"
HOOKYARD = [sys.executable, "-m", "receiver.cli"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Example:
    """A copy of an example with `hookyard dev` running in it."""

    def __init__(self, name: str, folder: Path) -> None:
        self.folder = folder / name
        shutil.copytree(EXAMPLES / name, self.folder)
        self.readme = (self.folder / "README.md").read_text()
        self.port = free_port()
        exports = re.findall(r"^export (.*)$", self.readme, re.MULTILINE)
        given = dict(pair.split("=", 1) for line in exports for pair in line.split())
        self.environ = {**os.environ, **given, "HOOKYARD_PORT": str(self.port), "COLUMNS": "100"}

    def hookyard(self, command: str) -> str:
        """Run a command of the README; what it printed."""
        assert f"hookyard {command}\n" in self.readme, f"the README does not say: hookyard {command}"
        return self.run([*HOOKYARD, *command.split()])

    def run(self, command: list[str]) -> str:
        ended = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 0, f"{command}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def delivered(self, count: int) -> Callable[[], bool]:
        """Whether so many messages have come to an end."""

        def look() -> bool:
            lines = self.run([*HOOKYARD, "messages", "--json", "--limit", "100"]).splitlines()
            deliveries = [one for line in lines for one in json.loads(line)["deliveries"]]
            ended = [one for one in deliveries if one["status"] in ("delivered", "dropped", "dead")]
            return len(ended) == count

        return look

    def made(self, name: str) -> list[dict[str, Any]]:
        """The JSON lines of a file that the example has written."""
        path = self.folder / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@contextmanager
def example(name: str, folder: Path, *, stand_in: int = 0) -> Iterator[Example]:
    """`stand_in`: the port that the example's routes.yaml has for its stand_in.py."""
    made = Example(name, folder)
    dev = Process("dev", [*HOOKYARD, "dev"], made.environ, made.folder)
    other = Process("stand-in", [sys.executable, "stand_in.py"], made.environ, made.folder)
    if stand_in:
        port = free_port()
        routes = made.folder / "routes.yaml"
        routes.write_text(routes.read_text().replace(f":{stand_in}", f":{port}"))
        other = Process("stand-in", [sys.executable, "stand_in.py", str(port)], made.environ, made.folder)
        other.start()
    dev.start()
    try:
        until(made.ready, 30, "hookyard dev")
        yield made
    except BaseException:
        print(dev.tail(), other.tail())
        raise
    finally:
        dev.stop()
        other.kill()


def test_enrich_then_send(tmp_path: Path) -> None:
    with example("enrich-then-send", tmp_path, stand_in=9001) as yard:
        yard.hookyard("send messages.jsonl")
        until(yard.delivered(3), 30)
        assert sorted(yard.made("mails.jsonl"), key=lambda mail: mail["order"]) == [
            {"to": "ada", "greeting": "Dear Ada", "order": "o-1", "gift": True},
            {"to": "eve", "greeting": "Dear customer", "order": "o-3", "gift": False},
        ]
        assert "who ok, mail skipped" in yard.hookyard("message order-2")


def test_sticky_sampling(tmp_path: Path) -> None:
    with example("sticky-sampling", tmp_path) as yard:
        yard.hookyard("send messages.jsonl")
        until(yard.delivered(41), 30)
        kept = yard.made("kept.jsonl")
        users = sorted(message["userId"] for message in kept)
        assert users == sorted(["user-5", "user-6", "user-9", "user-14"] * 2)
        assert all("email" not in message["traits"] and "ip" not in message["context"] for message in kept)
        assert len({message["traits"]["email_sha256"] for message in kept}) == 4
        shown = yard.hookyard("message view-1-1")
        assert "action 2: userId is at 0.717011; what is below 0.25 is kept" in shown
        assert "Example.com" in shown


def test_rq_hand_off(tmp_path: Path) -> None:
    with example("rq-hand-off", tmp_path) as yard:
        yard.hookyard("send messages.jsonl")
        until(yard.delivered(3), 30)
        url = attach(yard.folder / ".hookyard")
        assert url is not None
        worker = [str(Path(sys.executable).parent / "rq"), "worker", "emails", "low", "--burst"]
        yard.run([*worker, "--url", f"unix://{(yard.folder / '.hookyard/socket').read_text().strip()}"])
        assert (yard.folder / "done.txt").read_text().splitlines() == [
            "confirm o-1 to 0123: 99.5 (msg_1)",
            "index ada: {'plan': 'pro'} (msg_2)",
        ]


def test_ordered_crm_sync(tmp_path: Path) -> None:
    with example("ordered-crm-sync", tmp_path, stand_in=9002) as yard:
        yard.hookyard("send messages.jsonl")
        until(yard.delivered(15), 60)
        changes = yard.made("changes.jsonl")
        for contact in ("ada", "bob", "eve"):
            taken = [change for change in changes if change["contact"] == contact]
            assert [change["version"] for change in taken] == [1, 2, 3, 4, 5]
            assert taken[0] == {
                "contact": contact,
                "first_name": contact.title(),
                "plan": "pro",
                "version": 1,
            }
        assert ": busy" in (yard.folder / "stand-in.log").read_text()
