"""Which routes take a message. Compiled once per config; the hot path is one dictionary look-up, and the
conditions in FQL that it leaves open.

Only the filters of routes.yaml are known here, not Redis. `match` and `explain` are two views
of the same rules; a property test holds them together.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from receiver.core.channel import Channel
from receiver.core.content import Content, content
from receiver.core.exact_json import NotJson
from receiver.core.filter_index import Filter, compiled, table
from receiver.core.fql import Judged, Predicate
from receiver.core.json_text import Fields
from receiver.core.routes import Config, Route, SourcePath
from receiver.core.validity import Code, sentence

_NOTHING_AGAINST = "every condition holds"
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
    where: tuple[Judged, ...] = ()
    """How it fared with the conditions of `where`, if it came so far."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What path, type, event, channel and validity say of all such messages."""

    routes: tuple[str, ...]
    """The routes that take them, as long as their `where` does."""
    sure: tuple[str, ...]
    """Those of them that take them whatever else they hold."""
    left: tuple[tuple[Predicate, frozenset[str]], ...]
    """What of `where` hangs on more of the message, and the routes that ask for it."""
    roots: frozenset[str]
    """The fields it reads."""

    def about(self, fields: Fields) -> tuple[str, ...]:
        """The routes that take this one."""
        if not self.left:
            return self.routes
        try:
            message = content(fields, self.roots)
            taking = [routes for where, routes in self.left if where.evaluate(message) is True]
        except NotJson:
            apart = Content(fields)
            taking = [routes for where, routes in self.left if _holds(where, apart)]
        if not taking:
            return self.sure
        names = frozenset(self.sure).union(*taking)
        return tuple(name for name in self.routes if name in names)


class Matcher:
    """The compiled filters of one config."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._filters = [compiled(order, route) for order, route in enumerate(config.routes.values())]
        self._tables = {path.path: table(self._open(path)) for path in config.ways_in()}
        self._memo: dict[_Key, _Answer] = {}

    def match(self, path: SourcePath, facts: Facts, fields: Fields) -> tuple[str, ...]:
        """Names of the enabled routes that take the message, in the order of the file.

        Of its fields only those are parsed that a condition reads which type and event leave open.
        """
        key = (path.path, facts.type, facts.event, facts.channel, not facts.problems)
        answer = self._memo.get(key)
        if answer is None:
            answer = _answer(self._search(path.path, facts))
            self._remember(key, answer)
        return answer.about(fields)

    def needs_channel(self, path: SourcePath) -> bool:
        """Whether any route this path feeds filters on channels; if not, its context need not be parsed."""
        return self._tables[path.path].needs_channel

    def explain(self, path: SourcePath, facts: Facts, fields: Fields) -> list[Verdict]:
        """For every route of the file, whether it takes the message and what speaks against it."""
        apart = Content(fields)
        return [_verdict(path, item, facts, apart) for item in self._filters]

    def _open(self, path: SourcePath) -> list[Filter]:
        return [item for item in self._filters if not _closed(path, item.route)]

    def _search(self, path: str, facts: Facts) -> list[Filter]:
        bucket = self._tables[path].bucket(facts.type)
        return bucket.takers(facts.event, facts.channel, invalid=bool(facts.problems))

    def _remember(self, key: _Key, answer: _Answer) -> None:
        if len(key[1] or "") + len(key[2] or "") > LONGEST_REMEMBERED:
            return
        if len(self._memo) >= REMEMBERED:
            self._memo.clear()
        self._memo[key] = answer


def _answer(items: list[Filter]) -> _Answer:
    """What is equal in their `where` is asked once."""
    left: dict[Predicate, set[str]] = {}
    for item in items:
        if item.left is not None:
            left.setdefault(item.left, set()).add(item.route.name)
    return _Answer(
        routes=tuple(item.route.name for item in items),
        sure=tuple(item.route.name for item in items if item.left is None),
        left=tuple((where, frozenset(names)) for where, names in left.items()),
        roots=frozenset().union(*(where.roots for where in left)),
    )


def _holds(where: Predicate, content: Content) -> bool:
    """What cannot be read is not taken: a broken filter must not let through what it should keep out."""
    try:
        return where(content)
    except NotJson:
        return False


def _verdict(path: SourcePath, item: Filter, facts: Facts, content: Content) -> Verdict:
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


def _refusal(item: Filter, facts: Facts) -> str:
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
