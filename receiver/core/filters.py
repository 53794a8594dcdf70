"""Which routes take a message. Compiled once per config; the hot path is one dictionary look-up.

Only the filters of routes.yaml are known here, neither bodies nor Redis. `match` and `explain` are two views
of the same rules; a property test holds them together.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from receiver.core.channel import Channel, accepted
from receiver.core.globs import Glob, compile_glob
from receiver.core.routes import Config, Route, SourcePath
from receiver.core.validity import Code, sentence

REMEMBERED = 4096
"""Most answers kept; then the memo starts anew, which costs less than keeping track of what was used."""
LONGEST_REMEMBERED = 256
"""Longest type and event of an answer that is kept, so that hostile names cannot fill the memory."""


_Key = tuple[str, str | None, str | None, str, bool]
"""What an answer hangs on: path, type, event, channel, and whether the message is valid."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a message says about itself, as far as filters and the store want to know."""

    type: str | None
    event: str | None = None
    channel: Channel = Channel.UNKNOWN
    """The derived one; may stay unknown where `Matcher.needs_channel` says so."""
    message_id: str | None = None
    users: tuple[str, ...] = ()
    problems: tuple[Code, ...] = ()
    """What Segment would reject it for; empty: it is valid."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """How a message fared with one route's filter."""

    route: str
    matched: bool
    reason: str
    """A sentence: which condition failed and why, or that none did."""


@dataclass(frozen=True, slots=True)
class _Filter:
    """A route's filter, compiled."""

    order: int
    route: Route
    globs: tuple[Glob, ...]
    channels: frozenset[str] | None

    def takes_event(self, event: str | None) -> bool:
        return event is not None and any(glob.match(event) for glob in self.globs)


@dataclass(frozen=True, slots=True)
class _Bucket:
    """The filters that a message of one type can still pass; those of plain event names by name."""

    narrowed: bool
    """Whether events count: they narrow track messages only."""
    by_event: dict[str, list[_Filter]] = field(default_factory=dict)
    rest: list[_Filter] = field(default_factory=list)

    def add(self, item: _Filter) -> None:
        names = {glob.literal for glob in item.globs} if self.narrowed else set()
        if not names or None in names:
            self.rest.append(item)
            return
        for name in names:
            self.by_event.setdefault(str(name), []).append(item)

    def takers(self, facts: Facts) -> tuple[str, ...]:
        found = list(self.by_event.get(facts.event, ())) if facts.event is not None else []
        found += [
            item for item in self.rest if not self.narrowed or not item.globs or item.takes_event(facts.event)
        ]
        found = [item for item in found if item.channels is None or facts.channel in item.channels]
        if facts.problems:
            found = [item for item in found if item.route.invalid]
        return tuple(item.route.name for item in sorted(found, key=lambda item: item.order))


@dataclass(frozen=True, slots=True)
class _Table:
    """All that a path feeds, by type."""

    by_type: dict[str, _Bucket]
    other: _Bucket
    """For types no route names, and for messages without one."""
    needs_channel: bool


class Matcher:
    """The compiled filters of one config."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._filters = [_compiled(order, route) for order, route in enumerate(config.routes.values())]
        self._tables = {path.path: _table(self._open(path)) for path in config.ways_in()}
        self._memo: dict[_Key, tuple[str, ...]] = {}

    def match(self, path: SourcePath, facts: Facts) -> tuple[str, ...]:
        """Names of the enabled routes that take the message, in the order of the file."""
        key = (path.path, facts.type, facts.event, facts.channel, not facts.problems)
        names = self._memo.get(key)
        if names is None:
            names = self._search(path.path, facts)
            self._remember(key, names)
        return names

    def needs_channel(self, path: SourcePath) -> bool:
        """Whether any route this path feeds filters on channels; if not, its context need not be parsed."""
        return self._tables[path.path].needs_channel

    def explain(self, path: SourcePath, facts: Facts) -> list[Verdict]:
        """For every route of the file, whether it takes the message and what speaks against it."""
        verdicts = []
        for item in self._filters:
            refusal = _closed(path, item.route) or _refusal(item, facts)
            reason = refusal or "every condition holds"
            verdicts.append(Verdict(route=item.route.name, matched=not refusal, reason=reason))
        return verdicts

    def _open(self, path: SourcePath) -> list[_Filter]:
        return [item for item in self._filters if not _closed(path, item.route)]

    def _search(self, path: str, facts: Facts) -> tuple[str, ...]:
        table = self._tables[path]
        bucket = table.other if facts.type is None else table.by_type.get(facts.type, table.other)
        return bucket.takers(facts)

    def _remember(self, key: _Key, names: tuple[str, ...]) -> None:
        if len(key[1] or "") + len(key[2] or "") > LONGEST_REMEMBERED:
            return
        if len(self._memo) >= REMEMBERED:
            self._memo.clear()
        self._memo[key] = names


def _compiled(order: int, route: Route) -> _Filter:
    channels = None if route.channels is None else accepted(route.channels)
    return _Filter(order, route, tuple(compile_glob(event) for event in route.events or ()), channels)


def _table(filters: list[_Filter]) -> _Table:
    named = {"track"}.union(*(item.route.types or () for item in filters))
    table = _Table(
        by_type={name: _Bucket(narrowed=name == "track") for name in named},
        other=_Bucket(narrowed=False),
        needs_channel=any(item.channels is not None for item in filters),
    )
    for item in filters:
        for name in named if item.route.types is None else item.route.types:
            table.by_type[name].add(item)
        if item.route.types is None:
            table.other.add(item)
    return table


def _closed(path: SourcePath, route: Route) -> str:
    """What shuts the route to everything that comes by this path, as a sentence; empty if nothing does."""
    source = path.source.name
    if not route.enabled:
        return "the route is switched off (enabled: false)"
    if not path.source.enabled:
        return (
            f"the source {source} is switched off (enabled: false): its messages are kept but feed no route"
        )
    if path.feeds is not None and route.name not in path.feeds:
        return f"the path {path.path} feeds {_words(path.feeds)} only"
    if route.sources is not None and source not in route.sources:
        return f"it came from {source}; the route takes {_words(route.sources)} only"
    return ""


def _refusal(item: _Filter, facts: Facts) -> str:
    """The condition on the message itself that fails, as a sentence; empty if none does."""
    route = item.route
    if route.types is not None and facts.type not in route.types:
        found = "it has no type" if facts.type is None else f"its type is {facts.type}"
        return f"{found}; the route takes {_words(route.types)} only"
    if facts.type == "track" and route.events is not None and not item.takes_event(facts.event):
        found = (
            "it has no event name" if facts.event is None else f"its event {facts.event!r} fits no pattern"
        )
        return f"{found}; the route takes {_words(map(repr, route.events))} only"
    if item.channels is not None and facts.channel not in item.channels:
        return f"its channel is {facts.channel}; the route takes {_words(route.channels or ())} only"
    if facts.problems and not route.invalid:
        return f"it is invalid, {sentence(facts.problems)}; the route does not ask for such (invalid: true)"
    return ""


def _words(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
