"""Imports the handlers of a routes file in a process of their own: the code is the user's, and only workers
may load it."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from receiver.core.errors import Problem
from receiver.core.interpreter import OUR_PYTHON

SECONDS = 60
"""Longest time the import of all handlers may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of it."""

    problems: tuple[str, ...] = ()
    files: frozenset[Path] = frozenset()
    """Of the current folder, what the handlers loaded, themselves included; none where there are problems."""


def try_handlers(path: Path, environ: Mapping[str, str]) -> Tried:
    """Import all handlers of a valid file."""
    command = [*OUR_PYTHON, "workers", "check", str(path), "--files"]
    try:
        ended = subprocess.run(
            command, env=dict(environ), capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return Tried(problems=(_problem(path, f"importing the handlers took over {SECONDS} s"),))
    if ended.returncode == 0:
        said = (Path(line) for line in ended.stdout.splitlines() if line.endswith(".py"))
        return Tried(files=frozenset(file for file in said if file.is_file()))  # modules may print as well
    lines = [line for line in (ended.stdout + ended.stderr).splitlines() if line.strip()]
    return Tried(problems=tuple(lines) or (_problem(path, f"`workers check` ended with {ended.returncode}"),))


def _problem(path: Path, message: str) -> str:
    return str(Problem(str(path), None, "", message))
