"""`hookyard receiver` and `hookyard workers` as processes."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from receiver.protocol import MAX_HEAD
from tests.support.processes import descendants, until
from tests.support.stack import command_line
from tests.support.valkey import DURABLE, MakeServer

pytestmark = pytest.mark.e2e

ROUTES = """
sources:
  open:
    verify: {scheme: none}
routes:
  all-of-it:
    steps:
      - handler: flows:note
"""
HANDLER = """
def note(message, context):
    with open("seen.txt", "a") as seen:
        print(message.event, file=seen)
"""
HOOKYARD = [sys.executable, "-m", "receiver.cli"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, valkey_server: MakeServer) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOOKYARD_REDIS_URL", valkey_server(**DURABLE).url)
    (tmp_path / "routes.yaml").write_text(ROUTES)
    (tmp_path / "flows.py").write_text(HANDLER)
    return tmp_path


@contextmanager
def receiver(project: Path, *options: str) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """A running receiver that answers, and its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (project / "log").open("wb") as log:
        process = subprocess.Popen([*HOOKYARD, "receiver", "--port", str(port), *options], stderr=log)
    try:
        until(lambda: process.poll() is not None or answers(port), what="the receiver")
        yield process, port
    finally:
        process.terminate()
        process.wait(timeout=30)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def post(port: int, body: bytes) -> int:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/hooks/open", data=body)
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
        return int(answer.status)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly(project: Path, sent: signal.Signals) -> None:
    with receiver(project) as (process, _):
        process.send_signal(sent)
        assert process.wait(timeout=20) == 0


def test_several_processes_share_the_port_and_end_together(project: Path) -> None:
    with receiver(project, "--processes", "2") as (process, port):
        until(lambda: len(descendants(process.pid)) >= 2, what="both processes")
        assert {post(port, b'{"type":"track","event":"E","userId":"u"}') for _ in range(20)} == {200}
        process.terminate()
        assert process.wait(timeout=30) == 0
    assert not answers(port)
    assert (project / "log").read_text().count("whoever knows the URL can send") == 1


@pytest.mark.parametrize("told", [True, False])
def test_several_processes_take_up_another_file_and_none_is_replaced(project: Path, told: bool) -> None:
    with receiver(project, "--processes", "2") as (process, port):
        until(lambda: (project / "log").read_bytes().count(b'"receiving"') == 1, what="the start")
        until(lambda: len(serving(process.pid)) == 2, what="two processes")
        before = serving(process.pid)
        (project / "routes.yaml").write_text(ROUTES.replace("open:", "other:"))
        if told:
            process.send_signal(signal.SIGHUP)
        until(lambda: (project / "log").read_bytes().count(b"routes.yaml in force") == 2, what="both")
        assert {status(port, "other") for _ in range(20)} == {200}
        assert {status(port, "open") for _ in range(20)} == {404}
        assert serving(process.pid) == before


def test_a_process_that_died_comes_back_by_the_last_good_file(project: Path) -> None:
    with receiver(project, "--processes", "2") as (process, port):
        until(lambda: len(serving(process.pid)) == 2, what="two processes")
        (project / "routes.yaml").write_text("not: [valid")
        until(lambda: (project / "log").read_bytes().count(b"is not put in force") == 2, what="both")
        first, second = serving(process.pid)
        os.kill(first, signal.SIGKILL)
        until(lambda: len({*serving(process.pid), first, second}) == 3, what="another one")
        os.kill(second, signal.SIGKILL)
        until(lambda: len({*serving(process.pid), first, second}) == 4, what="two others")
        until(lambda: answers(port), what="an answer")
        assert status(port, "open") == 200


def serving(parent: int) -> list[int]:
    """Process ids of those that serve: multiprocessing starts one more, to look after its resources."""
    return sorted(pid for pid in descendants(parent) if "spawn_main" in command_line(pid))


def status(port: int, source: str) -> int:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/hooks/{source}", data=b'{"type":"page"}')
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_workers_take_what_the_receiver_accepted(project: Path) -> None:
    # A package of the user's with the name of ours must not be started in its place.
    (project / "workers").mkdir()
    (project / "workers/__init__.py").write_text("raise SystemExit('not this one')")
    with receiver(project) as (_, port), (project / "workers.log").open("wb") as log:
        workers = subprocess.Popen([*HOOKYARD, "workers", "-n", "2", "--queues", "default"], stderr=log)
        try:
            assert post(port, b'{"type":"track","event":"Noted","userId":"u"}') == 200
            seen = project / "seen.txt"
            until(lambda: seen.exists() and seen.read_text() == "Noted\n", what="the handler")
        finally:
            workers.terminate()
            assert workers.wait(timeout=60) == 0


@pytest.mark.parametrize("command", ["receiver", "workers"])
def test_a_broken_file_exits_2_with_the_problem(project: Path, command: str) -> None:
    (project / "routes.yaml").write_text(ROUTES.replace("steps", "stps"))
    ended = subprocess.run([*HOOKYARD, command], capture_output=True, text=True, check=False, timeout=30)
    assert ended.returncode == 2
    assert "stps" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_taken_port_exits_2(project: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        ended = subprocess.run(
            [*HOOKYARD, "receiver", "--port", port], capture_output=True, check=False, timeout=30
        )
    assert ended.returncode == 2
    assert f"port {port}".encode() in ended.stderr


@pytest.mark.parametrize("start", [b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: ", b"GET /"])
def test_headers_without_end_are_cut_off(project: Path, start: bytes) -> None:
    with receiver(project) as (_, port), socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(start)
        sent = 0
        answer = b""
        client.settimeout(0.001)
        while not answer and sent < 100 * MAX_HEAD:
            try:
                sent += client.send(b"x" * 4096)
                answer = client.recv(4096)
            except TimeoutError:
                continue
        assert answer.startswith(b"HTTP/1.1 400")
        assert sent < 10 * MAX_HEAD
        assert answers(port)


def test_dev_uses_a_redis_that_is_there_and_says_what_is_wrong_with_it(
    project: Path, valkey_server: MakeServer
) -> None:
    environ = os.environ | {"HOOKYARD_REDIS_URL": valkey_server(appendonly="no").url}
    with (project / "out").open("wb") as out:
        process = subprocess.Popen([*HOOKYARD, "dev", "--port", "0"], stdout=out, env=environ)
    try:
        until(lambda: "Ctrl-C stops everything" in (project / "out").read_text(), what="the reason")
        shown = (project / "out").read_text()
        assert "is not ready" in shown
        assert "`appendonly yes`" in shown
        assert not (project / ".hookyard/valkey.log").exists()
    finally:
        process.terminate()
        assert process.wait(timeout=60) == 0
