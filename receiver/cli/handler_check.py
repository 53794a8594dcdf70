"""Imports the handlers of a routes file in a process of their own: the code is the user's, and only workers
may load it. It may print, loop, or end the process: none of that reaches whoever asks.
"""

import json
import queue
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from receiver.core import routes_file
from receiver.core.errors import ConfigError, Problem
from receiver.core.interpreter import OUR_PYTHON

LIMIT_S = 20.0
"""Longest time the import of one handler may take."""
GRACE_S = 5.0
"""Waited for beyond it: the start of the process, and a module that does not even heed the process' timer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of it."""

    problems: tuple[Problem, ...] = ()
    files: frozenset[Path] = frozenset()
    """Of the current folder, what the handlers loaded, themselves included; none where there are problems."""


def try_handlers(path: Path, environ: Mapping[str, str], *, limit_s: float = LIMIT_S) -> Tried:
    """Import every handler that the file names, also a file with mistakes; each problem at its place."""
    try:
        named = routes_file.handlers_in(routes_file.text_of(path), file=str(path))
    except ConfigError as error:
        return Tried(problems=tuple(error.problems))
    said, files = _tried(list(dict.fromkeys(problem.message for problem in named)), environ, limit_s)
    wrong = [problem for problem in named if problem.message in said]
    problems = tuple(replace(problem, message=said[problem.message]) for problem in wrong)
    return Tried(problems=problems, files=frozenset() if problems else files)


def _tried(
    targets: Sequence[str], environ: Mapping[str, str], limit_s: float
) -> tuple[dict[str, str], frozenset[Path]]:
    """Handler → what is wrong with it, and the files. A process that one of them stops is followed by one for
    the rest."""
    found: dict[str, str] = {}
    while True:
        answers = list(_import(targets, environ, limit_s))
        found |= {target: said for target, said in zip(targets, answers, strict=False) if said is not None}
        if len(answers) > len(targets):
            return found, frozenset(map(Path, answers[-1]))
        if len(answers) < len(targets):
            stuck = targets[len(answers)]
            found[stuck] = f"handler {stuck!r}: while it is imported it ends the process, or never comes back"
        targets = targets[len(answers) + 1 :]
        if not targets:
            return found, frozenset()


def _import(targets: Sequence[str], environ: Mapping[str, str], limit_s: float) -> Iterator[Any]:
    """What the process says of each, and at last of the files, as far as it comes."""
    process = subprocess.Popen(
        [*OUR_PYTHON, "workers.importing", str(limit_s), *targets],
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    lines: queue.Queue[bytes] = queue.Queue()
    reader = threading.Thread(target=_read, args=(process.stdout, lines), daemon=True)
    reader.start()
    try:
        while line := lines.get(timeout=limit_s + GRACE_S):
            yield json.loads(line)
    except queue.Empty:
        return
    finally:
        process.kill()
        process.wait()
        reader.join()


def _read(stream: IO[bytes], lines: "queue.Queue[bytes]") -> None:
    """Every line as it comes; an empty one at the end."""
    with stream:
        for line in stream:
            lines.put(line)
    lines.put(b"")
