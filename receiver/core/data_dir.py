"""The data folder of the embedded Valkey: what lies where in it, who owns it, how commands find the server.

The server listens on a unix socket only. Socket paths are limited to 107 bytes, so the socket lives in a
short private folder elsewhere, and the data folder holds a note with its path: a command with another TMPDIR
finds it too. This module starts nothing (see `embedded`).
"""

import fcntl
import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from urllib.parse import quote

from receiver.core.errors import ConfigError, HookError, Problem
from receiver.core.settings import Settings

SOCKET_NAME = "valkey.sock"
MAX_SOCKET_PATH = 103
"""Bytes: the smaller of Linux' 107 and macOS' 103."""
CONNECT_SECONDS = 2.0
REDIS_SCHEMES = ("redis://", "rediss://", "unix://")


class AlreadyRunning(HookError):
    """Another process owns the data folder."""

    code = "already_running"


@dataclass(frozen=True, slots=True)
class DataDir:
    """Paths inside the folder."""

    path: Path

    @property
    def owner_lock(self) -> Path:
        """Held by the `hookyard dev` that owns the folder; holds its process id."""
        return self.path / "dev.lock"

    @property
    def server_lock(self) -> Path:
        """Held by the server process itself: as long as it lives, no other may write these files."""
        return self.path / "valkey.lock"

    @property
    def socket_note(self) -> Path:
        return self.path / "socket"

    @property
    def log(self) -> Path:
        return self.path / "valkey.log"

    @property
    def append_only(self) -> Path:
        return self.path / "appendonlydir"

    @property
    def secrets(self) -> Path:
        """Random secrets of sources, see `receiver.cli.dev_secrets`."""
        return self.path / "dev-secrets.json"

    def make(self) -> None:
        """Create the folder, readable by its owner only."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def free_bytes(self) -> int:
        """Free disk space where the folder is, or will be."""
        folder = self.path.absolute()
        while not folder.exists():
            folder = folder.parent
        return shutil.disk_usage(folder).free


def attach(data_dir: Path) -> str | None:
    """The URL of the server that runs on this folder; None when none listens."""
    try:
        path = DataDir(data_dir).socket_note.read_text().strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(CONNECT_SECONDS)
        try:
            probe.connect(path)
        except OSError:
            return None
    return socket_url(Path(path))


def resolve_redis_url(settings: Settings) -> str:
    """The URL of the store for every command: the configured one, else the running embedded server.

    Raises ConfigError (exit 2) when there is neither, or when the configured one is no such URL.
    """
    if settings.redis_url is not None:
        url = settings.redis_url.reveal()
        if not url.startswith(REDIS_SCHEMES):
            raise _no_redis(f"must begin with one of {', '.join(REDIS_SCHEMES)}")
        return url
    found = attach(settings.data_dir)
    if found is None:
        raise _no_redis(
            f"is not set, and no `hookyard dev` runs on {settings.data_dir}: set it, or start `hookyard dev`"
        )
    return found


def _no_redis(sentence: str) -> ConfigError:
    return ConfigError([Problem("environment", None, "HOOKYARD_REDIS_URL", sentence)])


def socket_url(path: Path) -> str:
    return f"unix://{quote(str(path))}"


def socket_path(data_dir: Path, environ: Mapping[str, str]) -> Path:
    """Where the server of this folder listens: made, private, short enough. Raises ConfigError."""
    digest = blake2b(str(data_dir.resolve()).encode(), digest_size=6).hexdigest()
    tried = []
    asked = [environ.get("XDG_RUNTIME_DIR"), environ.get("TMPDIR"), tempfile.gettempdir()]
    for parent in filter(None, [*asked, "/tmp"]):  # noqa: S108 - made private, and checked
        folder = Path(parent) / f"hookyard-{os.getuid()}-{digest}"
        path = folder / SOCKET_NAME
        if len(os.fsencode(path)) <= MAX_SOCKET_PATH and _made_private(folder):
            return path
        tried.append(str(folder))
    sentence = f"no private folder with a short path for Valkey's socket; tried {', '.join(tried)}"
    raise ConfigError([Problem("environment", None, "XDG_RUNTIME_DIR", sentence)])


def _made_private(folder: Path) -> bool:
    """Whether the folder exists now and is ours alone: others can write to /tmp, and could have made it."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077


def server_runs(data_dir: Path) -> bool:
    """Whether a server process has this folder open, answering or not."""
    try:
        lock = os.open(DataDir(data_dir).server_lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not try_lock(lock)
    finally:
        os.close(lock)


def open_lock(path: Path) -> int:
    """A descriptor to lock; closing it, by any end of the process, unlocks."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
