"""Messages by what became of them: on which route, with which status.

Lazy: whoever stops asking stops the search.

Open and dead deliveries are found where they stand, in the order they stand there; delivered and dropped ones
only by walking the log, newest first.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from heapq import merge
from itertools import chain, islice
from typing import cast

from receiver.core import keys, records
from receiver.core.message import Delivery, Status, StoredMessage
from receiver.core.reading import FEW, PAGE, Store
from receiver.core.selection import Selection

Found = tuple[StoredMessage, list[Delivery]]
Placed = tuple[int, int]
"""Where a delivery stands among those of other routes (smaller comes first), and its message's number."""

SETTLED = frozenset({Status.DELIVERED, Status.DROPPED})


def search(
    store: Store,
    selection: Selection,
    *,
    statuses: Collection[Status] = (),
    routes: Collection[str] = (),
) -> Iterator[Found]:
    """The selected messages with all their deliveries, one of which is on one of `routes` and has one of
    `statuses`. What is empty narrows nothing."""
    indexed = bool(statuses) and SETTLED.isdisjoint(statuses) and selection.user is None
    if indexed and not selection.numbers:
        numbers = store.route_numbers()
        chosen = [numbers[name] for name in routes or numbers if name in numbers]
        messages = _named(store, _unique(_waiting(store, statuses, chosen)), selection)
    else:
        messages = store.scan(selection)
    narrowed = bool(statuses or routes)
    for page in _pages(messages, FEW):
        found = store.deliveries_of([message.number for message in page])
        for message in page:
            mine = found.get(message.number, [])
            if not narrowed or any(wanted(one, statuses, routes) for one in mine):
                yield message, mine


def wanted(delivery: Delivery, statuses: Collection[Status], routes: Collection[str]) -> bool:
    """Whether a delivery is on one of `routes` and has one of `statuses`; what is empty narrows nothing."""
    return (not statuses or delivery.status in statuses) and (not routes or delivery.route in routes)


def _pages(messages: Iterator[StoredMessage], size: int) -> Iterator[list[StoredMessage]]:
    while page := list(islice(messages, size)):
        yield page


def _named(store: Store, numbers: Iterator[int], selection: Selection) -> Iterator[StoredMessage]:
    while page := list(islice(numbers, FEW)):
        yield from (message for message in store.messages(page) if selection.takes(message))


def _unique(numbers: Iterator[int]) -> Iterator[int]:
    seen: set[int] = set()
    for number in numbers:
        if number not in seen:
            seen.add(number)
            yield number


def _waiting(store: Store, statuses: Collection[Status], routes: Sequence[int]) -> Iterator[int]:
    """Numbers of messages with a delivery on one of `routes` that had one of `statuses` a moment ago."""
    places: list[Iterator[Placed]] = []
    if not {Status.QUEUED, Status.HELD}.isdisjoint(statuses):
        lists = [keys.key(name, route) for route in routes for name in ("BACKLOG", "REPLAYING")]
        places.append(merge(*(_listed(store, key) for key in lists)))
    if Status.WAITING in statuses:
        places.append(_scheduled(store, frozenset(routes)))
    if Status.RUNNING in statuses:
        places.append(merge(*(_running(store, route) for route in routes)))
    if Status.DEAD in statuses:
        places.append(merge(*(_dead(store, route) for route in routes)))
    return (number for _, number in chain.from_iterable(places))


def _listed(store: Store, key: str) -> Iterator[Placed]:
    """From the end of a backlog, where the newest are."""
    for refs in _by_page(lambda first, last: store.redis.lrange(key, -last - 1, -first - 1)):
        for text in reversed(refs):
            number = records.reference(text.decode()).number
            yield -number, number


def _scheduled(store: Store, routes: frozenset[int]) -> Iterator[Placed]:
    """Soonest first."""
    for refs in _by_page(lambda first, last: store.redis.zrange(keys.key("LATER"), first, last)):
        for text in refs:
            ref = records.reference(text.decode())
            if ref.route in routes:
                yield 0, ref.number


def _running(store: Store, route: int) -> Iterator[Placed]:
    """As many as the route's concurrency, at most."""
    members = cast("set[bytes]", store.redis.smembers(keys.key("RUNNING", route)))
    numbers = sorted((records.reference(text.decode()).number for text in members), reverse=True)
    return ((-number, number) for number in numbers)


def _dead(store: Store, route: int) -> Iterator[Placed]:
    """Latest death first."""
    key = keys.key("DEAD", route)
    first = 0
    while page := store.redis.zrange(key, first, first + PAGE - 1, desc=True, withscores=True):
        for text, died_ms in cast("list[tuple[bytes, float]]", page):
            yield -round(died_ms), records.reference(text.decode()).number
        first += PAGE


def _by_page(read: Callable[[int, int], object]) -> Iterator[list[bytes]]:
    first = 0
    while page := cast("list[bytes]", read(first, first + PAGE - 1)):
        yield page
        first += PAGE
