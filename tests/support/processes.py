"""Looking at processes, and waiting for what they do: on the condition itself, for a bounded time."""

import os
from collections.abc import Callable
from pathlib import Path

from receiver.core.clock import SYSTEM, pause

LOOK_SECONDS = 0.01


def until(condition: Callable[[], bool], seconds: float = 20.0, what: str = "the condition") -> None:
    """Wait until it holds; AssertionError when it does not in time."""
    deadline = SYSTEM.monotonic() + seconds
    while not condition():
        assert SYSTEM.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        pause(LOOK_SECONDS)


def alive(pid: int) -> bool:
    """Whether the process runs; one that ended and waits for its parent to ask does not."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return not Path("/proc/self/stat").exists()
    return state != "Z"


def parent(pid: int) -> int:
    """Process id of its parent; 0 when it is gone. Linux only."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def children(pid: int) -> list[int]:
    """All processes started by this one. Linux only."""
    everybody = [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]
    return [found for found in everybody if parent(found) == pid]


def descendants(pid: int) -> list[int]:
    """All processes started by this one, and by those. Linux only."""
    return [found for child in children(pid) for found in (child, *descendants(child))]
