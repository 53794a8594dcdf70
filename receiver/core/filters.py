"""Which routes take a message. Compiled once per config; the hot path is one dictionary look-up, and the
conditions in FQL that it leaves open.

Only the filters of routes.yaml are known here, not Redis. `match` and `explain` are two views
of the same rules; a property test holds them together.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from receiver.core.channel import Channel, accepted
from receiver.core.content import Content
from receiver.core.exact_json import NotJson
from receiver.core.fql import Judged, Predicate
from receiver.core.globs import Glob, compile_glob
from receiver.core.json_text import Fields
from receiver.core.routes import Config, Route, SourcePath
from receiver.core.validity import Code, sentence

_NOTHING_AGAINST = "every condition holds"
REMEMBERED = 4096
"""Most answers kept; then the memo starts anew, which costs less than keeping track of what was used."""
LONGEST_REMEMBERED = 256
"""Longest type and event of an answer that is kept, so that hostile names cannot fill the memory."""


_AS_WRITTEN = re.compile(r"[^0-9\\-\\\\][^\\\\]*")
"""Facts also spell numbers and lone surrogates as text; what fits this can be neither."""

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
    where: tuple[Judged, ...] = ()
    """How it fared with the conditions of `where`, if it came so far."""


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

    def takers(self, facts: Facts) -> list[_Filter]:
        found = list(self.by_event.get(facts.event, ())) if facts.event is not None else []
        found += [
            item for item in self.rest if not self.narrowed or not item.globs or item.takes_event(facts.event)
        ]
        found = [item for item in found if item.channels is None or facts.channel in item.channels]
        if facts.problems:
            found = [item for item in found if item.route.invalid]
        return sorted(found, key=lambda item: item.order)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What path, type, event, channel and validity say of all such messages."""

    routes: tuple[str, ...]
    """The routes that take them, as long as their `where` does."""
    open: tuple[tuple[Predicate, frozenset[str]], ...]
    """What hangs on more of the message, and the routes that ask for it."""

    def about(self, fields: Fields) -> tuple[str, ...]:
        """The routes that take this one."""
        if not self.open:
            return self.routes
        content = Content(fields)
        against: set[str] = set()
        for where, routes in self.open:
            if not _holds(where, content):
                against |= routes
        return tuple(name for name in self.routes if name not in against) if against else self.routes


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
        self._memo: dict[_Key, _Answer] = {}

    def match(self, path: SourcePath, facts: Facts, fields: Fields) -> tuple[str, ...]:
        """Names of the enabled routes that take the message, in the order of the file.

        Of its fields only those are parsed that a condition reads which the facts left open.
        """
        key = (path.path, facts.type, facts.event, facts.channel, not facts.problems)
        answer = self._memo.get(key)
        if answer is None:
            answer = _answer(self._search(path.path, facts), facts)
            self._remember(key, answer)
        return answer.about(fields)

    def needs_channel(self, path: SourcePath) -> bool:
        """Whether any route this path feeds filters on channels; if not, its context need not be parsed."""
        return self._tables[path.path].needs_channel

    def explain(self, path: SourcePath, facts: Facts, fields: Fields) -> list[Verdict]:
        """For every route of the file, whether it takes the message and what speaks against it."""
        content = Content(fields)
        return [_verdict(path, item, facts, content) for item in self._filters]

    def _open(self, path: SourcePath) -> list[_Filter]:
        return [item for item in self._filters if not _closed(path, item.route)]

    def _search(self, path: str, facts: Facts) -> list[_Filter]:
        table = self._tables[path]
        bucket = table.other if facts.type is None else table.by_type.get(facts.type, table.other)
        return bucket.takers(facts)

    def _remember(self, key: _Key, answer: _Answer) -> None:
        if len(key[1] or "") + len(key[2] or "") > LONGEST_REMEMBERED:
            return
        if len(self._memo) >= REMEMBERED:
            self._memo.clear()
        self._memo[key] = answer


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


def _answer(items: list[_Filter], facts: Facts) -> _Answer:
    """What the facts leave open of the conditions in FQL; equal ones are asked once."""
    said = {"type": facts.type, "event": facts.event}
    known = {name: text for name, text in said.items() if text is not None and _AS_WRITTEN.fullmatch(text)}
    routes: list[str] = []
    left: dict[Predicate, set[str]] = {}
    for item in items:
        where = item.route.where
        decided = True if where is None else where.decided(known)
        if decided is False:
            continue
        routes.append(item.route.name)
        if where is not None and decided is None:
            left.setdefault(where, set()).add(item.route.name)
    return _Answer(tuple(routes), tuple((where, frozenset(names)) for where, names in left.items()))


def _holds(where: Predicate, content: Content) -> bool:
    """What cannot be read is not taken: a broken filter must not let through what it should keep out."""
    try:
        return where(content)
    except NotJson:
        return False


def _verdict(path: SourcePath, item: _Filter, facts: Facts, content: Content) -> Verdict:
    name, where = item.route.name, item.route.where
    refusal = _closed(path, item.route) or _refusal(item, facts)
    if refusal or where is None:
        return Verdict(route=name, matched=not refusal, reason=refusal or _NOTHING_AGAINST)
    try:
        judged = where.judge(content)
    except NotJson as error:
        return Verdict(route=name, matched=False, reason=f"where cannot be asked, part is no JSON: {error}")
    if _holds(where, content):
        return Verdict(route=name, matched=True, reason=_NOTHING_AGAINST, where=judged)
    against = "; ".join(one.words() for one in judged if not one.held)
    return Verdict(route=name, matched=False, reason=f"where: {against}", where=judged)


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
