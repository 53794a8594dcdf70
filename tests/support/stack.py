"""Hookyard as it runs in production, on a private durable Valkey: real processes to kill, freeze and restart.

`with Stack(folder, ROUTES) as stack:` starts all of it and waits until it is ready; when the block fails, the
processes' logs are printed. Only processes started here are ever sent a signal.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, cast

from receiver.core import keys
from receiver.core.interpreter import OUR_PYTHON
from receiver.core.reading import Store
from receiver.core.tether import tether
from tests.support import noting
from tests.support.audit import Notes
from tests.support.processes import alive, children, until
from tests.support.valkey import DURABLE, ValkeyServer

SECRET = "a secret of the tests"
REPOSITORY = Path(__file__).parent.parent.parent
LOG_LINES = 60


class Process:
    """One command that can be started again; what it says goes to a file."""

    def __init__(self, name: str, command: list[str], environ: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._command = command
        self._environ = environ
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} does not run"
        return self._process.pid

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=dict(self._environ),
                stdout=log,
                stderr=log,
                preexec_fn=tether(),
            )

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL, 10)

    def stop(self, seconds: float = 40.0) -> int:
        """SIGTERM; the exit code. AssertionError when it is not over in time."""
        return self._end(signal.SIGTERM, seconds)

    def _end(self, sent: signal.Signals, seconds: float) -> int:
        if self._process is None:
            return 0
        process, self._process = self._process, None
        process.send_signal(sent)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"{self.name} was not over {seconds:g} s after {sent.name}") from None

    def tail(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-LOG_LINES:])


class Stack:
    """Valkey, receiver, and workers under their supervisor, on one routes.yaml."""

    def __init__(
        self,
        folder: Path,
        routes: str,
        *,
        workers: int | None = 1,
        environ: Mapping[str, str] | None = None,
        valkey: Mapping[str, str] | None = None,
    ) -> None:
        """`workers`: a queue; None: no workers at all. `valkey`: settings beside the durable ones.

        What `tests.support.noting` writes is in `notes`.
        """
        self._short = Path(tempfile.mkdtemp(prefix="hy-", dir="/tmp"))  # a socket's path must be short
        self.valkey = ValkeyServer(self._short, {**DURABLE, **(valkey or {})})
        self.notes = Notes(folder / "notes")
        (folder / "routes.yaml").write_text(routes)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        ours = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONUNBUFFERED": "1",
            "HOOKYARD_REDIS_URL": self.valkey.url,
            "HOOKYARD_PORT": str(self.port),
            "SHOP_SECRET": SECRET,
            noting.FILE: str(self.notes.path),
            **(environ or {}),
        }
        self._environ, self._folder, self._works = ours, folder, workers is not None
        serve = [*OUR_PYTHON, "receiver.cli", "receiver"]
        work = [*OUR_PYTHON, "workers", "run", "-n", str(workers)]
        self.receiver = Process("receiver", serve, ours, folder)
        self.supervisor = Process("supervisor", work, ours, folder)
        self._work = work
        self.store = Store.open(self.valkey.url)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        try:
            self.valkey.start()
            self.receiver.start()
            if self._works:
                self.supervisor.start()
            until(self.ready, what="a ready receiver")
            until(lambda: not self._works or bool(self.drains()), what="a drain on duty")
        except BaseException:
            self._close(failed=True)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close(failed=kind is not None)

    def _close(self, *, failed: bool) -> None:
        mine = self.processes()
        for process in (self.receiver, self.supervisor):
            process.kill()
        for pid in mine:
            signal_process(pid, signal.SIGKILL)
        self.store.close()
        self.valkey.kill()
        shutil.rmtree(self._short)
        if failed:
            for process in (self.receiver, self.supervisor):
                print(f"--- {process.name} ---\n{process.tail()}")

    def other_workers(self, folder: Path, routes: str) -> Process:
        """A supervisor of another machine, with a routes.yaml of its own; start it."""
        (folder / "routes.yaml").write_text(routes)
        return Process(f"workers-{folder.name}", self._work, self._environ, folder)

    def ready(self) -> bool:
        """Whether /readyz says so."""
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:  # noqa: S310 - http
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def hookyard(self, *arguments: str) -> str:
        """Run a command as a person does; what it printed. AssertionError when it fails."""
        ended = subprocess.run(
            [*OUR_PYTHON, "receiver.cli", *arguments],
            cwd=self._folder,
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 0, f"{arguments}: {ended.returncode}\n{ended.stdout}{ended.stderr}"
        return ended.stdout

    def restart_receiver(self) -> None:
        """Start it on its port and wait until it is ready."""
        self.receiver.start()
        until(self.ready, what="a ready receiver")

    def drains(self, queue: str = "default") -> list[str]:
        """Drains that signed on and have not left."""
        client = self.store.redis
        named = cast("list[bytes]", client.zrange(keys.key("DUTY", queue), 0, -1))
        return [name.decode() for name in named if client.exists(keys.key("DRAIN", name.decode()))]

    def workers(self, queue: str = "default") -> list[int]:
        """Process ids of the RQ workers of a queue."""
        return [pid for pid in children(self.supervisor.pid) if f"--queue {queue} " in command_line(pid)]

    def horses(self, queue: str = "default") -> list[int]:
        """Process ids of their work horses."""
        return [horse for worker in self.workers(queue) for horse in children(worker)]

    def processes(self) -> list[int]:
        """All processes of this stack but Valkey, told by their environment: orphans too."""
        mark = f"{noting.FILE}={self.notes.path}".encode()
        return [pid for pid in _own_processes() if mark in _environ(pid)]


def signal_process(pid: int, sent: signal.Signals) -> None:
    """Send a signal; nothing happens when the process is gone."""
    if alive(pid):
        os.kill(pid, sent)


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def _own_processes() -> list[int]:
    mine = os.getuid()
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if path.stat().st_uid == mine:
                found.append(int(path.name))
        except OSError:
            continue
    return found


def _environ(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""
