"""Finds that routes.yaml changed, and proves it good before anybody works by it: all of its handlers are
imported in a process of their own, because the code is the user's and may be half written."""

import tempfile
from dataclasses import dataclass
from typing import IO

from receiver.core.clock import Clock
from receiver.core.errors import ConfigError
from receiver.core.following import LOOK_S, Following
from receiver.core.routes_file import Loaded
from receiver.core.tether import tether
from workers.given import CHECKED, Process, start

CHECK_S = 60.0
"""Longest time the import of all handlers may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A file whose handlers are being imported."""

    found: Loaded
    process: Process
    output: IO[bytes]
    until: float


class Reloading:
    """For the supervisor's loop: `look` is called often and never waits."""

    def __init__(self, following: Following, clock: Clock, *, led: bool = False) -> None:
        """`led`: whoever started us says when to read the file, and has tried its handlers."""
        self._following = following
        self._clock = clock
        self._led = led
        self._told = False
        self._next_look = 0.0
        self._trial: Trial | None = None

    def tell(self, *_: object) -> None:
        """Read the file at the next look, changed or not: a signal handler."""
        self._told = True

    def look(self) -> Loaded | None:
        """What is to be taken up now. What is wrong with a file is logged, and remembered in `following`."""
        now = self._clock.monotonic()
        if self._trial is not None:
            return self._ended(self._trial, now)
        found = self._find(now)
        if isinstance(found, ConfigError):
            self._following.refuse(found.problems)
        elif found is not None and self._led:
            self._following.take_up(found)
            return found
        elif found is not None:
            self._trial = self._begin(found, now)
        return None

    def close(self) -> None:
        """End what still runs."""
        if self._trial is not None:
            self._end(self._trial)

    def _find(self, now: float) -> Loaded | ConfigError | None:
        if self._told:
            self._told = False
            return self._following.read()
        if not self._led and now >= self._next_look:
            self._next_look = now + LOOK_S
            return self._following.look()
        return None

    def _begin(self, found: Loaded, now: float) -> Trial:
        output = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the trial; `_end` closes it
        process = start(("check",), found.text, before=tether(), output=output)
        return Trial(found=found, process=process, output=output, until=now + CHECK_S)

    def _ended(self, trial: Trial, now: float) -> Loaded | None:
        code = trial.process.poll()
        if code is None and now < trial.until:
            return None
        trial.output.seek(0)
        said = [line for line in trial.output.read().decode(errors="replace").splitlines() if line.strip()]
        self._end(trial)
        if code == 0 and said[-1:] == [CHECKED]:
            self._following.take_up(trial.found)
            return trial.found
        if code is None:
            said = [f"importing the handlers took over {CHECK_S:.0f} s"]
        elif code == 0 or not said:
            said = [f"while the handlers are imported, one of them ends the process, with {code}"]
        self._following.refuse(said)
        return None

    def _end(self, trial: Trial) -> None:
        self._trial = None
        if trial.process.poll() is None:
            trial.process.kill()
        trial.process.wait()
        trial.output.close()
