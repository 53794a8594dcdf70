"""What routes.yaml says, checked and complete: the frozen records every other part works with.

`receiver.core.routes_file` makes them; nothing here reads files or reports problems. Values that hold
templates are as written: `receiver.core.templates.compile_value` makes them ready to render.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from receiver.core.connections import Connection
from receiver.core.errors import Problem
from receiver.core.fql import Predicate
from receiver.core.settings import Secret
from receiver.core.steps.base import StepConfig
from receiver.core.verify_options import Verify

DEFAULT_CONCURRENCY = 20
DEFAULT_QUEUE = "default"
TRACKING_PATH = "/v1/"
"""What the name of a source stands behind, to name its way in by the tracking API. Paths below /hooks never
begin with a slash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A configured sender."""

    name: str
    verify: tuple[Verify, ...]
    """What comes in by its paths must pass all of them. Empty where it has no paths."""
    paths: Mapping[str, frozenset[str] | None]
    """Path below /hooks → the routes it feeds; None: all. Empty: it takes calls of the tracking API only."""
    write_keys: tuple[Secret, ...] = ()
    """Calls of the tracking API with any of them are its messages."""
    max_age_s: float | None = None
    """What comes in by its paths must not be older, in seconds; None: of any age."""
    refuses_invalid: bool = False
    """Whether messages that Segment would reject are refused; else they are kept like all others."""
    rate_limit: float | None = None
    """Most messages a second, in each receiver process; None: any number."""
    purges: bool = False
    """Whether its `delete` messages have what is stored of their users deleted."""
    enabled: bool = True
    """False: its messages are kept but feed no route."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePath:
    """One way in, and what it feeds."""

    source: Source
    path: str
    """The path below /hooks; for calls of the tracking API TRACKING_PATH and the name of the source. So it is
    stored with each message."""
    feeds: frozenset[str] | None = None
    """Names of the routes it feeds; None: all."""


def address(path: str) -> str:
    """Where messages that came in this way were posted to, for people."""
    return TRACKING_PATH.rstrip("/") if path.startswith(TRACKING_PATH) else f"/hooks/{path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A filter plus a list of steps. None in a filter means: not narrowed."""

    name: str
    sources: frozenset[str] | None = None
    types: frozenset[str] | None = None
    events: tuple[str, ...] | None = None
    """Globs that narrow track messages only."""
    channels: frozenset[str] | None = None
    where: Predicate | None = None
    """What must be true of the message."""
    invalid: bool = False
    """Whether it takes messages too that Segment would reject."""
    steps: tuple[StepConfig, ...]
    retry: tuple[float, ...]
    """Seconds before each further attempt."""
    concurrency: int = DEFAULT_CONCURRENCY
    rate_limit: float | None = None
    """Most attempts a second, of all workers together; None: any number."""
    order_by: tuple[str, ...] | None = None
    """Path of the field whose value is the ordering key; None: in any order."""
    queue: str = DEFAULT_QUEUE
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole of routes.yaml, in the order of the file."""

    sources: Mapping[str, Source]
    connections: Mapping[str, Connection]
    routes: Mapping[str, Route]
    version: str
    """Short SHA-256 of the file's text: tells whether two processes work by the same file."""
    paths: Mapping[str, SourcePath]
    """By the path below /hooks."""
    tracking: Mapping[str, SourcePath] = field(default_factory=dict)
    """Ways in by the tracking API, of the sources that have a write key."""
    warnings: tuple[Problem, ...] = ()
    steps_at: Mapping[tuple[str, str], Problem] = field(default_factory=dict)
    """(route, step) → where it stands in the file, as a problem without words."""

    def path(self, path: str) -> SourcePath | None:
        """The way in of this name: what stands at `/hooks/<path>` has no slashes at its ends."""
        return self.paths.get(path) or self.tracking.get(path)

    def ways_in(self) -> Iterable[SourcePath]:
        """All of them."""
        return (*self.paths.values(), *self.tracking.values())
