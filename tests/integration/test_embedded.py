"""The embedded Valkey: durable by its own settings, owned once, found by others, repaired after a cut."""

import os
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from redis import Redis

from receiver.core import embedded
from receiver.core.aof import damaged_tail, repair_aof
from receiver.core.clock import SYSTEM, pause
from receiver.core.data_dir import (
    AlreadyRunning,
    DataDir,
    attach,
    resolve_redis_url,
    server_runs,
    socket_path,
)
from receiver.core.durability import judge_now
from receiver.core.embedded import EmbeddedValkey
from receiver.core.errors import ConfigError, StoreFull
from receiver.core.settings import Secret, Settings
from receiver.core.tether import tether


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="hy-", dir="/tmp") as folder:
        yield Path(folder) / ".hookyard"


@contextmanager
def running(data_dir: Path) -> Iterator[tuple[EmbeddedValkey, subprocess.Popen[bytes]]]:
    valkey = EmbeddedValkey(data_dir, os.environ)
    valkey.claim()
    try:
        with started(valkey) as process:
            yield valkey, process
    finally:
        valkey.release()


@contextmanager
def started(valkey: EmbeddedValkey) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(valkey.command, pass_fds=valkey.pass_fds, preexec_fn=tether(signal.SIGKILL))
    try:
        deadline = SYSTEM.monotonic() + 20
        while not valkey.ready():
            if process.poll() is not None or SYSTEM.monotonic() > deadline:
                raise RuntimeError(valkey.why_not())
            pause(0.005)
        yield process
    finally:
        process.terminate()
        process.wait()


def write_and_kill(data_dir: Path, count: int = 200) -> Path:
    """A data folder as kill -9 leaves it; answers its last append-only file."""
    with running(data_dir) as (valkey, process):
        with Redis.from_url(valkey.url) as redis:
            for number in range(count):
                redis.set(f"key:{number}", "x" * 100)
        process.kill()
        process.wait()
    (file,) = DataDir(data_dir).append_only.glob("*.incr.aof")
    return file


def keys_after_start(data_dir: Path) -> int:
    with running(data_dir) as (valkey, _), Redis.from_url(valkey.url) as redis:
        return int(redis.dbsize())


def test_it_is_durable_and_listens_on_a_private_socket_only(data_dir: Path) -> None:
    with running(data_dir) as (valkey, _), Redis.from_url(valkey.url) as redis:
        verdict = judge_now(redis)
        port = redis.config_get("port")["port"]
        socket = Path(valkey.url.removeprefix("unix://"))
        assert verdict.durable
        assert port == "0"
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700


def test_others_find_the_running_one(data_dir: Path) -> None:
    settings = replace(Settings(), data_dir=data_dir)
    assert attach(data_dir) is None
    with pytest.raises(ConfigError, match="hookyard dev"):
        resolve_redis_url(settings)
    with running(data_dir) as (valkey, _):
        assert attach(data_dir) == resolve_redis_url(settings) == valkey.url
        assert server_runs(data_dir)
    assert attach(data_dir) is None
    assert not server_runs(data_dir)


def test_a_configured_url_wins(data_dir: Path) -> None:
    settings = replace(Settings(), data_dir=data_dir, redis_url=Secret("redis://elsewhere"))
    with running(data_dir):
        assert resolve_redis_url(settings) == "redis://elsewhere"


def test_a_second_owner_is_told_how_to_attach(data_dir: Path) -> None:
    with running(data_dir), pytest.raises(AlreadyRunning, match=f"process {os.getpid()}.*HOOKYARD_DATA_DIR"):
        EmbeddedValkey(data_dir, os.environ).claim()


def test_a_server_that_outlived_its_owner_is_ended_first(data_dir: Path) -> None:
    first = EmbeddedValkey(data_dir, os.environ)
    first.claim()
    orphan = subprocess.Popen(first.command, pass_fds=first.pass_fds, preexec_fn=tether(signal.SIGKILL))
    deadline = SYSTEM.monotonic() + 20
    while not first.ready() and SYSTEM.monotonic() < deadline:
        pause(0.005)
    with Redis.from_url(first.url) as redis:
        redis.set("kept", "1")
    for lock in (
        *first.pass_fds,
        first._owner,
    ):  # the owner dies: its descriptors close, nothing else happens
        assert lock is not None
        os.close(lock)
    with running(data_dir) as (valkey, _), Redis.from_url(valkey.url) as redis:
        assert redis.get("kept") == b"1"
        assert orphan.wait(timeout=5) == 0


def test_a_full_disk_is_refused(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "MIN_FREE_BYTES", 10**18)
    with pytest.raises(StoreFull, match="disk"):
        EmbeddedValkey(data_dir, os.environ).claim()


def test_a_runtime_folder_that_others_can_enter_is_not_used(data_dir: Path, tmp_path: Path) -> None:
    environ = {"XDG_RUNTIME_DIR": str(tmp_path), "TMPDIR": "/tmp"}
    short = tempfile.mkdtemp(prefix="hy-", dir="/tmp")
    environ["XDG_RUNTIME_DIR"] = short
    chosen = socket_path(data_dir, environ)
    assert chosen.parent.parent == Path(short)
    chosen.parent.chmod(0o777)
    assert socket_path(data_dir, environ).parent.parent == Path("/tmp")
    for folder in (
        chosen.parent,
        Path(short),
        socket_path(data_dir, environ | {"XDG_RUNTIME_DIR": ""}).parent,
    ):
        folder.rmdir()


def test_a_runtime_folder_with_a_long_path_is_not_used(data_dir: Path, tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 90)
    deep.mkdir()
    chosen = socket_path(data_dir, {"XDG_RUNTIME_DIR": str(deep)})
    assert len(os.fsencode(chosen)) <= 103
    chosen.parent.rmdir()


def test_acknowledged_writes_survive_kill_9(data_dir: Path) -> None:
    write_and_kill(data_dir)
    assert damaged_tail(data_dir) is None
    assert keys_after_start(data_dir) == 200


@pytest.mark.parametrize(
    "tail", [b"\0" * 5000, b"*3\r\n$3\r\nSET\r\n$3\r\nke" + b"\0" * 300, b"garbage\r\n" * 20]
)
def test_a_tail_no_server_can_read_is_cut_and_a_copy_kept(data_dir: Path, tail: bytes) -> None:
    file = write_and_kill(data_dir)
    good = file.stat().st_size
    with file.open("ab") as opened:
        opened.write(tail)
    with pytest.raises(RuntimeError, match="hookyard doctor --fix"):
        keys_after_start(data_dir)

    repaired = repair_aof(data_dir)

    assert repaired is not None
    damage, copy = repaired
    assert (damage.whole, damage.cut, damage.zeros) == (good, len(tail), tail.count(0) == len(tail))
    assert copy.read_bytes().endswith(tail)
    assert file.stat().st_size == good
    assert keys_after_start(data_dir) == 200
    assert repair_aof(data_dir) is None


def test_a_torn_last_command_costs_that_command_only(data_dir: Path) -> None:
    file = write_and_kill(data_dir)
    os.truncate(file, file.stat().st_size - 30)
    repaired = repair_aof(data_dir)
    assert repaired is not None
    assert keys_after_start(data_dir) == 199


def test_half_a_transaction_is_cut_whole(data_dir: Path) -> None:
    with running(data_dir) as (valkey, process):
        with Redis.from_url(valkey.url) as redis:
            redis.set("before", "1")
            with redis.pipeline(transaction=True) as pipe:
                pipe.set("a", "1").set("b", "1").execute()
        process.kill()
        process.wait()
    (file,) = DataDir(data_dir).append_only.glob("*.incr.aof")
    os.truncate(file, file.stat().st_size - len("*1\r\n$4\r\nEXEC\r\n"))
    assert repair_aof(data_dir) is not None
    assert keys_after_start(data_dir) == 1


def test_nothing_is_repaired_under_a_running_server(data_dir: Path) -> None:
    with running(data_dir), pytest.raises(AlreadyRunning):
        repair_aof(data_dir)
