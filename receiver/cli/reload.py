"""Sees that routes.yaml or a module that handlers load changed, and checks the new state before it counts.

Events of the file system only wake it; what counts is whether the files differ from those in force. So
nothing is missed between two saves, and folders without events (network mounts) work too, a little later.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from watchfiles import awatch

from receiver.cli.dev_secrets import make_missing, with_kept
from receiver.cli.handler_check import try_handlers
from receiver.core.errors import ConfigError
from receiver.core.routes import Config
from receiver.core.routes_file import load
from receiver.core.steps.handler import HandlerSpec

LOOK_MS = 2000
"""How often to look without any event."""
DEBOUNCE_MS = 50
"""Editors write, rename and touch; one save is one change."""

Stamps = dict[Path, tuple[int, int]]
"""File → time of its last change, in nanoseconds, and its size."""
NEVER = (0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """A configuration that was found good, with the environment it needs."""

    config: Config
    environ: Mapping[str, str]
    files: frozenset[Path] = frozenset()
    """What its handlers load from the current folder, as far as it is known."""
    new_secrets: tuple[str, ...] = ()
    """Variables that `hookyard dev` gave a random value just now."""


def read(routes: Path, environ: Mapping[str, str], data_dir: Path) -> InForce:
    """Load routes.yaml, making secrets for sources that have none. Raises ConfigError."""
    made = make_missing(routes, environ, data_dir)
    known = with_kept(environ, data_dir)
    return InForce(config=load(routes, known), environ=known, new_secrets=tuple(made))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """From one good state to another."""

    before: InForce
    after: InForce
    files: tuple[Path, ...]
    """What was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reloader:
    """Watches for as long as `run` runs."""

    routes: Path
    environ: Mapping[str, str]
    """The environment as it was given to us."""
    data_dir: Path
    since_ms: int
    """When the processes began to load: what was saved later is a change."""
    apply: Callable[[Change], Awaitable[None]]
    """Puts a good state in force."""
    refuse: Callable[[str, list[str]], None]
    """Tells which file changed and why the old state stays in force."""

    async def run(self, force: InForce) -> None:
        tried = await asyncio.to_thread(try_handlers, self.routes, force.environ)
        force = replace(force, files=tried.files)
        seen = {
            path: stamp if stamp[0] < self.since_ms * 1_000_000 else NEVER
            for path, stamp in stamps(self.routes, force).items()
        }
        while True:
            folders = {path.parent for path in seen}
            async for _ in awatch(
                *folders, recursive=False, debounce=DEBOUNCE_MS, rust_timeout=LOOK_MS, yield_on_timeout=True
            ):
                now = stamps(self.routes, force)
                if now == seen:
                    continue
                force = await self._changed(force, seen, now)
                # What was saved while we checked differs from `now`, and is seen at the next look.
                seen = {path: now.get(path, stamp) for path, stamp in stamps(self.routes, force).items()}
                if {path.parent for path in seen} != folders:
                    break

    async def _changed(self, force: InForce, seen: Stamps, now: Stamps) -> InForce:
        differing = sorted(path for path in seen.keys() | now.keys() if seen.get(path) != now.get(path))
        try:
            found = read(self.routes, self.environ, self.data_dir)
            tried = await asyncio.to_thread(try_handlers, self.routes, found.environ)
            problems = [str(problem) for problem in tried.problems]
        except ConfigError as error:
            problems = [str(problem) for problem in error.problems]
        if problems:
            self.refuse(differing[0].name, problems)
            return force
        found = replace(found, files=tried.files)
        await self.apply(Change(before=force, after=found, files=tuple(differing)))
        return found


def stamps(routes: Path, force: InForce) -> Stamps:
    """Of routes.yaml, of what its handlers load from the current folder, wherever it stands there, and of all
    Python files beside the handler modules: what they do not load yet may be what was missing."""
    beside = (file for root in handler_roots(force.config) for file in _python_files(root))
    found: Stamps = {}
    for path in dict.fromkeys((routes, *sorted(force.files), *beside)):
        try:
            stat = path.stat()
        except OSError:
            continue
        found[path] = (stat.st_mtime_ns, stat.st_size)
    return found


def handler_roots(config: Config) -> list[Path]:
    """The top-level modules and packages of the current folder that hold handlers."""
    modules = {
        step.spec.target.partition(":")[0].partition(".")[0]
        for route in config.routes.values()
        for step in route.steps
        if isinstance(step.spec, HandlerSpec)
    }
    places = (place for name in sorted(modules) for place in (Path(name), Path(f"{name}.py")))
    return [place for place in places if place.exists()]


def _python_files(root: Path) -> list[Path]:
    if root.is_file():
        return [root, *sorted(Path().glob("*.py"))]
    return sorted(root.rglob("*.py"))
