"""Sees that routes.yaml or a handler module changed, checks the new state, and says what must start again.

Events of the file system only wake it; what counts is whether the files differ from those in force. So
nothing is missed between two saves, and folders without events (network mounts) work too, a little later.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from watchfiles import awatch

from receiver.cli.check import handler_problems
from receiver.cli.dev_secrets import make_missing, with_kept
from receiver.core.errors import ConfigError
from receiver.core.routes import Config
from receiver.core.routes_file import load
from receiver.core.steps.handler import HandlerSpec

LOOK_MS = 2000
"""How often to look without any event."""
DEBOUNCE_MS = 50
"""Editors write, rename and touch; one save is one change."""

Stamps = dict[Path, tuple[int, int]]
"""File → time of its last change and its size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """A configuration that was found good, with the environment it needs."""

    config: Config
    environ: Mapping[str, str]
    new_secrets: tuple[str, ...] = ()
    """Variables that `hookyard dev` gave a random value just now."""


def read(routes: Path, environ: Mapping[str, str], data_dir: Path) -> InForce:
    """Load routes.yaml, making secrets for sources that have none. Raises ConfigError."""
    made = make_missing(routes, environ, data_dir)
    known = with_kept(environ, data_dir)
    return InForce(config=load(routes, known), environ=known, new_secrets=tuple(made))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reloader:
    """Watches for as long as `run` runs."""

    routes: Path
    environ: Mapping[str, str]
    """The environment as it was given to us."""
    data_dir: Path
    apply: Callable[[InForce, bool], Awaitable[None]]
    """Puts a good state in force; the flag says whether routes.yaml itself changed."""
    refuse: Callable[[str, list[str]], None]
    """Tells which file changed and why the old state stays in force."""

    async def run(self, force: InForce) -> None:
        seen = stamps(self.routes, force.config)
        while True:
            folders = {path.parent for path in seen}
            async for _ in awatch(
                *folders, recursive=False, debounce=DEBOUNCE_MS, rust_timeout=LOOK_MS, yield_on_timeout=True
            ):
                now = stamps(self.routes, force.config)
                if now == seen:
                    continue
                force = await self._changed(force, seen, now)
                # What was saved while we checked differs from `now`, and is seen at the next look.
                seen = {
                    path: now.get(path, stamp) for path, stamp in stamps(self.routes, force.config).items()
                }
                if {path.parent for path in seen} != folders:
                    break

    async def _changed(self, force: InForce, seen: Stamps, now: Stamps) -> InForce:
        differing = sorted(path for path in seen.keys() | now.keys() if seen.get(path) != now.get(path))
        try:
            found = read(self.routes, self.environ, self.data_dir)
            problems = await asyncio.to_thread(handler_problems, self.routes, found.environ)
        except ConfigError as error:
            problems = [str(problem) for problem in error.problems]
        if problems:
            self.refuse(differing[0].name, problems)
            return force
        await self.apply(found, self.routes in differing)
        return found


def stamps(routes: Path, config: Config) -> Stamps:
    """Of routes.yaml and of all Python files beside the handler modules that stand in the current folder."""
    found: Stamps = {}
    for path in [routes, *(file for root in handler_roots(config) for file in _python_files(root))]:
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
