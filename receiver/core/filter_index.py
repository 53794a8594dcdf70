"""Filters of routes by what they ask for, so that a message meets only those it can pass.

By type, then by the plain names of events, be they said in `types` and `events` or in `where`.
"""

import re
from dataclasses import dataclass, field, replace

from receiver.core.channel import Channel, accepted
from receiver.core.fql import Predicate
from receiver.core.globs import Glob, compile_glob
from receiver.core.routes import Route

_AS_WRITTEN = re.compile(r"[^0-9\-\\][^\\]*")
"""Facts also spell numbers and lone surrogates as text; what fits this can be neither."""
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Filter:
    """A route's filter, compiled."""

    order: int
    route: Route
    globs: tuple[Glob, ...]
    channels: frozenset[str] | None
    types: frozenset[str] | None
    """The types it can take, by `types` and by `where`."""
    events: frozenset[str] | None
    """The events it can take by `where`, of whatever type."""
    left: Predicate | None
    """What of `where` is still to be asked; None: nothing."""

    def given(self, name: str, value: str) -> "Filter | None":
        """The same for messages whose `type` or `event` is known; None: it takes none of them."""
        if self.left is None or not _AS_WRITTEN.fullmatch(value):
            return self
        left = self.left.given({name: value})
        return (
            (replace(self, left=None) if left else None)
            if isinstance(left, bool)
            else replace(self, left=left)
        )

    def names(self, *, narrowed: bool) -> set[str] | frozenset[str] | None:
        """The plain names of events outside of which it takes nothing; None: any may do."""
        literals = {glob.literal for glob in self.globs} if narrowed else set()
        plain = {name for name in literals if name is not None}
        if not plain or len(plain) < len(literals):
            return self.events
        return plain if self.events is None else plain & self.events

    def takes_event(self, event: str | None) -> bool:
        return not self.globs or (event is not None and any(glob.match(event) for glob in self.globs))


@dataclass(frozen=True, slots=True)
class Bucket:
    """The filters that a message of one type can still pass; those of plain event names by name."""

    kind: str | None
    """The type; None: any that no route names, or none."""
    by_event: dict[str, list[Filter]] = field(default_factory=dict)
    rest: list[Filter] = field(default_factory=list)

    @property
    def narrowed(self) -> bool:
        """Whether `events` counts: it narrows track messages only."""
        return self.kind == "track"

    def add(self, item: Filter) -> None:
        here = item if self.kind is None else item.given("type", self.kind)
        names = None if here is None else here.names(narrowed=self.narrowed)
        if here is not None and names is None:
            self.rest.append(here)
        for name in names or ():
            there = here and here.given("event", name)
            if there is not None:
                self.by_event.setdefault(name, []).append(there)

    def takers(self, event: str | None, channel: Channel, *, invalid: bool) -> list[Filter]:
        """In the order of the file; what is left of their `where` may still say no."""
        found = list(self.by_event.get(event, ())) if event is not None else []
        found += self.rest
        if self.narrowed:
            found = [item for item in found if item.takes_event(event)]
        found = [item for item in found if item.channels is None or channel in item.channels]
        if invalid:
            found = [item for item in found if item.route.invalid]
        return sorted(found, key=lambda item: item.order)


@dataclass(frozen=True, slots=True)
class Table:
    """All that a path feeds, by type."""

    by_type: dict[str, Bucket]
    other: Bucket
    """For types no route names, and for messages without one."""
    needs_channel: bool

    def bucket(self, kind: str | None) -> Bucket:
        """The filters for messages of a type; None: of none."""
        return self.other if kind is None else self.by_type.get(kind, self.other)


def compiled(order: int, route: Route) -> Filter:
    """The filter of the route that stands at this place in the file."""
    types = _asked(route.where, "type")
    return Filter(
        order,
        route,
        globs=tuple(compile_glob(event) for event in route.events or ()),
        channels=None if route.channels is None else accepted(route.channels),
        types=types if route.types is None else route.types if types is None else route.types & types,
        events=_asked(route.where, "event"),
        left=route.where,
    )


def _asked(where: Predicate | None, name: str) -> frozenset[str] | None:
    """The texts outside of which `where` is not true. Facts spell lone surrogates in another way."""
    texts = None if where is None else where.only(name)
    return None if texts is None or _SURROGATE.search("".join(texts)) else texts


def table(filters: list[Filter]) -> Table:
    named = {"track"}.union(*(item.types or () for item in filters))
    made = Table(
        by_type={name: Bucket(name) for name in named},
        other=Bucket(None),
        needs_channel=any(item.channels is not None for item in filters),
    )
    for item in filters:
        for name in named if item.types is None else item.types:
            made.by_type[name].add(item)
        if item.types is None:
            made.other.add(item)
    return made
