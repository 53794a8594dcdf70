"""routes.yaml as a running process follows it: what is in force, and why the file as it stands is not.

A look is one `stat`, which sees every way a file is replaced: written in place, renamed over, or behind a
symlink that was turned elsewhere (Kubernetes, releases in folders). Why not by events of the file system:
docs/decisions/looking.md.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from receiver.core.errors import ConfigError
from receiver.core.routes_file import Loaded, parse, text_of

log = logging.getLogger("hookyard.config")

LOOK_S = 1.0
"""Between two looks."""

Stamp = tuple[int, int, int]
"""Inode, size and time of the last change: a file with the same ones is taken for the same."""


class Following:
    """One file. Whoever follows it looks once a second, and takes up or refuses what was found."""

    def __init__(self, path: Path, environ: Mapping[str, str], in_force: Loaded) -> None:
        """`in_force` is what the process began with. Secrets are looked up in `environ`."""
        self._path = path
        self._environ = environ
        self.in_force = in_force
        self.refused = ""
        """Why the file as it stands is not in force; empty when it is."""
        self._judged: Stamp | None = None
        self._seen: Stamp | None = None

    def look(self) -> Loaded | ConfigError | None:
        """What the file says now, good or not; None: nothing new. Answers each change once, and only when the
        file was the same for two looks: one that is being written, or replaced, is no config."""
        stamp = self._stamp()
        if stamp == self._judged or stamp != self._seen:
            self._seen = stamp
            return None
        return self._judge(stamp, anyway=False)

    def read(self) -> Loaded | ConfigError | None:
        """The file as it stands, on somebody's word: also when nothing changed."""
        return self._judge(self._stamp(), anyway=True)

    def take_up(self, found: Loaded) -> None:
        """It is in force from now on."""
        self.in_force = found
        self.refused = ""

    def refuse(self, problems: Sequence[object]) -> None:
        """What is in force stays; the log says why."""
        said = [str(problem) for problem in problems]
        self.refused = "; ".join(said)
        log.error(
            "%s is not put in force, version %s stays",
            self._path,
            self.in_force.config.version,
            extra={"problems": said},
        )

    def _judge(self, stamp: Stamp | None, *, anyway: bool) -> Loaded | ConfigError | None:
        self._judged = self._seen = stamp
        try:
            text = text_of(self._path)
            if text == self.in_force.text and not anyway:
                if self.refused:
                    log.info("%s says again what is in force", self._path)
                self.refused = ""
                return None
            return Loaded(text=text, config=parse(text, file=str(self._path), environ=self._environ))
        except ConfigError as error:
            return error

    def _stamp(self) -> Stamp | None:
        """None: there is no such file, at least not for us."""
        try:
            stat = self._path.stat()
        except OSError:
            return None
        return stat.st_ino, stat.st_size, stat.st_mtime_ns
