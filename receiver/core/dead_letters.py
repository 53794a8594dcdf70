"""Dead letters as an operator handles them: walked, grouped by reason, given another round, dropped.

Page by page: there may be a million of them, and few reasons.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import cast

import msgspec

from receiver.core import clearing, keys, records
from receiver.core.message import Delivery, Status
from receiver.core.reading import PAGE, Store


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that was given up."""

    message: int
    route: str
    replay: int
    code: str
    """Why: `http_404`, `handler_error`, `worker_crashed`, …"""
    died_ms: int


class DeadGroup(msgspec.Struct, frozen=True, kw_only=True):
    """The dead letters of one route that died of the same."""

    route: str
    code: str
    count: int
    oldest_ms: int
    newest: DeadLetter


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which dead letters. Empty fields narrow nothing."""

    routes: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    until_ms: int | None = None
    """Those that died up to now: a retried one that dies again must not be retried for ever."""

    def takes(self, letter: DeadLetter) -> bool:
        return not self.codes or letter.code in self.codes


def count(store: Store, routes: Collection[str] = ()) -> dict[str, int]:
    """Route → dead letters, of the routes that have some."""
    numbers = _numbers(store, routes)
    pipe = store.redis.pipeline(transaction=False)
    for number in numbers.values():
        pipe.zcard(keys.key("DEAD", number))
    counts = dict(zip(numbers, cast("list[int]", pipe.execute()), strict=True))
    return {name: counts[name] for name in sorted(counts) if counts[name]}


def letters(store: Store, wanted: Wanted, *, newest_first: bool = False) -> Iterator[DeadLetter]:
    """Route by route, in the order they died."""
    for route, number in _numbers(store, wanted.routes).items():
        offset = 0
        while page := _page(store, route, number, offset, wanted, newest_first=newest_first):
            yield from filter(wanted.takes, page)
            offset += PAGE


def grouped(found: Iterable[DeadLetter]) -> list[DeadGroup]:
    """Letters in the order they died, gathered by route and reason; a route's most frequent reason first."""
    groups: dict[tuple[str, str], DeadGroup] = {}
    for letter in found:
        key = (letter.route, letter.code)
        group = groups.get(key)
        groups[key] = DeadGroup(
            route=letter.route,
            code=letter.code,
            count=group.count + 1 if group else 1,
            oldest_ms=group.oldest_ms if group else letter.died_ms,
            newest=letter,
        )
    return sorted(groups.values(), key=lambda group: (group.route, -group.count))


def redrive(store: Store, wanted: Wanted) -> Iterator[tuple[int, int]]:
    """Give the wanted ones a new round of attempts. Answers after each page how many letters it looked at and
    how many it redrove."""
    return _walk(store, wanted, lambda found: store.redrive([_delivery(letter) for letter in found]))


def drop(store: Store, wanted: Wanted) -> Iterator[tuple[int, int]]:
    """Give the wanted ones up for good; answers as `redrive` does."""

    def act(found: list[DeadLetter]) -> int:
        return clearing.drop_dead(store, store.references([_delivery(letter) for letter in found]))

    return _walk(store, wanted, act)


def _walk(store: Store, wanted: Wanted, act: Callable[[list[DeadLetter]], int]) -> Iterator[tuple[int, int]]:
    """`act` takes letters away from their route and counts them."""
    for route, number in _numbers(store, wanted.routes).items():
        offset = 0
        while page := _page(store, route, number, offset, wanted, newest_first=False):
            chosen = [letter for letter in page if wanted.takes(letter)]
            offset += len(page) - len(chosen)  # what was chosen is gone from here
            yield len(page), act(chosen)


def _page(
    store: Store, route: str, number: int, offset: int, wanted: Wanted, *, newest_first: bool
) -> list[DeadLetter]:
    found = store.redis.zrange(
        keys.key("DEAD", number), offset, offset + PAGE - 1, desc=newest_first, withscores=True
    )
    pairs = [
        (records.reference(text.decode()), round(died_ms))
        for text, died_ms in cast("list[tuple[bytes, float]]", found)
        if wanted.until_ms is None or died_ms <= wanted.until_ms
    ]
    pipe = store.redis.pipeline(transaction=False)
    for ref, _ in pairs:
        pipe.hget(keys.key("DELIVERIES", ref.number // keys.BLOCK), ref.field)
    return [
        DeadLetter(
            message=ref.number,
            route=route,
            replay=ref.replay,
            code=records.unpack_record(record.decode()).code if record else "",
            died_ms=died_ms,
        )
        for (ref, died_ms), record in zip(pairs, pipe.execute(), strict=True)
    ]


def _numbers(store: Store, routes: Collection[str]) -> dict[str, int]:
    known = store.route_numbers()
    return {name: known[name] for name in sorted(routes or known) if name in known}


def _delivery(letter: DeadLetter) -> Delivery:
    return Delivery(message=letter.message, route=letter.route, replay=letter.replay, status=Status.DEAD)
