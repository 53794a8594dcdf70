"""`python -m workers.importing LIMIT TARGET…`: imports handlers in a process that nothing depends on.

It answers a JSON line for each handler, in order: null, or what is wrong; and in the end the files of the
current folder that were loaded. It loads nothing else of the workers, to be quick. Modules of the user may
print, loop, or end the process; whoever started this one draws conclusions from the lines that do not come.
"""

import json
import os
import signal
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from types import FrameType
from typing import NoReturn

from workers.loading import HandlerNotFound, load


class TookTooLong(BaseException):
    """Ends an import. No Exception, which a module's own `except` might swallow."""


def run(targets: Sequence[str], limit_s: float) -> NoReturn:
    """Import every handler, each for at most so long; ends the process, whatever threads were started."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, _too_long)
    answers = _answers()
    failed: dict[str, str] = {}
    for target in targets:
        module = target.partition(":")[0]
        said = failed.get(module) or _problem(target, limit_s)
        if said is not None and module not in sys.modules:
            failed[module] = said  # it would fail again, and take as long
        answers.write(json.dumps(said) + "\n")
        answers.flush()
    answers.write(json.dumps([str(file) for file in _loaded_files(Path.cwd())]) + "\n")
    answers.flush()
    os._exit(0)


def _answers() -> TextIOWrapper:
    """Our standard output; what modules print from now on goes nowhere."""
    kept = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    return kept


def _problem(target: str, limit_s: float) -> str | None:
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        load(target)
    except HandlerNotFound as error:
        return str(error)
    except BaseException as error:  # noqa: BLE001 - a module may raise KeyboardInterrupt, and the timer late
        return f"handler {target!r}: {type(error).__name__}: {error}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return None


def _too_long(signum: int, frame: FrameType | None) -> None:
    raise TookTooLong("it does not come to an end; does it loop or wait while it is imported?")


def _loaded_files(folder: Path) -> list[Path]:
    """Source files below the folder that were imported, what is installed there apart."""
    files = {
        Path(found) for module in list(sys.modules.values()) if (found := getattr(module, "__file__", None))
    }
    here = {file.relative_to(folder) for file in files if file.is_relative_to(folder)}
    return sorted(file for file in here if file.suffix == ".py" and "site-packages" not in file.parts)


if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - the user's handler modules live in the current folder
    run(sys.argv[2:], float(sys.argv[1]))
