"""Repairs the tail of the embedded Valkey's append-only file after a power cut.

A cut can leave zero bytes or half a command at the end of the last file, and the server then refuses to
start. Everything up to the last whole command is good; a transaction counts as one, as for the server.
"""

import mmap
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from receiver.core.clock import SYSTEM
from receiver.core.data_dir import AlreadyRunning, DataDir, server_runs

LONGEST_NUMBER = 24
"""Bytes of a `*3` or `$1234` line, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """The end of an append-only file that no server can read."""

    file: Path
    whole: int
    """Bytes up to the end of the last whole command."""
    cut: int
    """Bytes after it."""
    zeros: bool
    """Whether those are zero bytes only: then nothing was ever written there."""


def damaged_tail(data_dir: Path) -> Damage | None:
    """What is wrong with the last append-only file of a server that does not run; None when it is whole."""
    file = _last_file(DataDir(data_dir).append_only)
    if file is None or file.stat().st_size == 0:
        return None
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
        whole = end_of_whole(data)
        rest = len(data) - whole
        return Damage(file=file, whole=whole, cut=rest, zeros=_only_zeros(data, whole)) if rest else None


def repair_aof(data_dir: Path) -> tuple[Damage, Path] | None:
    """Cut the damaged tail off; answers what was cut and the copy of the whole file, None if all is well.

    Raises AlreadyRunning when a server has the files open.
    """
    if server_runs(data_dir):
        raise AlreadyRunning(f"Valkey runs on {data_dir}; stop `hookyard dev` first")
    damage = damaged_tail(data_dir)
    if damage is None:
        return None
    copy = damage.file.with_name(f"{damage.file.name}.damaged-{SYSTEM.now_ms()}")
    shutil.copy2(damage.file, copy)
    with damage.file.open("r+b") as opened:
        opened.truncate(damage.whole)
        os.fsync(opened.fileno())
    return damage, copy


def end_of_whole(data: mmap.mmap | bytes) -> int:
    """Where the last whole command ends that is not inside an unfinished transaction."""
    position = end = 0
    in_transaction = False
    while (parsed := _command(data, position)) is not None:
        position, name = parsed
        if name == b"MULTI":
            in_transaction = True
        elif name == b"EXEC":
            in_transaction = False
        if not in_transaction:
            end = position
    return end


def _command(data: mmap.mmap | bytes, start: int) -> tuple[int, bytes] | None:
    """End and upper-case name of the command (or `#TS` remark) at `start`; None if no whole one is there."""
    if data[start : start + 1] == b"#":
        newline = data.find(b"\n", start)
        return None if newline < 0 else (newline + 1, b"")
    header = _number(data, start, b"*")
    if header is None:
        return None
    count, position = header
    name = b""
    for index in range(count):
        header = _number(data, position, b"$")
        if header is None:
            return None
        length, begin = header
        position = begin + length + 2
        if data[position - 2 : position] != b"\r\n":
            return None
        if index == 0:
            name = bytes(data[begin : begin + min(length, LONGEST_NUMBER)]).upper()
    return position, name


def _number(data: mmap.mmap | bytes, start: int, sign: bytes) -> tuple[int, int] | None:
    """The number of a `*3` or `$5` line and where the next line starts."""
    if data[start : start + 1] != sign:
        return None
    end = data.find(b"\r\n", start, start + LONGEST_NUMBER)
    digits = bytes(data[start + 1 : end]) if end > 0 else b""
    return (int(digits), end + 2) if digits.isdigit() else None


def _only_zeros(data: mmap.mmap, start: int) -> bool:
    return not any(data[at : at + 65536].strip(b"\0") for at in range(start, len(data), 65536))


def _last_file(folder: Path) -> Path | None:
    """The file the server was appending to: the manifest's last line of type `i`."""
    manifests = sorted(folder.glob("*.manifest"))
    if not manifests:
        return None
    appended = []
    for line in manifests[0].read_text().splitlines():
        words = line.split()
        pairs = dict(zip(words[::2], words[1::2], strict=False))
        if pairs.get("type") == "i":
            appended.append(pairs["file"])
    file = folder / appended[-1] if appended else None
    return file if file is not None and file.exists() else None
