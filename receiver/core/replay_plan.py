"""What a replay would do, looked at before it is ordered: which stretch of the log, and how many deliveries.

Nothing is written.
"""

from collections.abc import Callable, Iterator

import msgspec

from receiver.core.message import StoredMessage
from receiver.core.reading import PAGE, Store
from receiver.core.replays import Plan

SAMPLES = 5


class Preview(msgspec.Struct, kw_only=True):
    """What was found so far."""

    looked: int = 0
    """Messages looked at."""
    matched: int = 0
    """Those the selection takes."""
    unrouted: int = 0
    """Of these, the ones no route takes."""
    deliveries: dict[str, int] = msgspec.field(default_factory=dict)
    """By route."""
    samples: list[StoredMessage] = msgspec.field(default_factory=list)
    """The first few."""

    @property
    def total(self) -> int:
        """Deliveries on all routes together."""
        return sum(self.deliveries.values())

    def add(self, message: StoredMessage, routes: tuple[str, ...]) -> None:
        self.matched += 1
        self.unrouted += not routes
        for name in routes:
            self.deliveries[name] = self.deliveries.get(name, 0) + 1
        if len(self.samples) < SAMPLES:
            self.samples.append(message)


def span(store: Store, plan: Plan) -> tuple[int, int]:
    """First and last number a replay has to look at; the last is the smaller one when there is none."""
    chosen = plan.selection
    numbers = chosen.numbers or (store.numbers_of_user(chosen.user) if chosen.user is not None else None)
    if numbers is not None and not numbers:
        return 1, 0
    first = store.number_since(chosen.since_ms or 0)
    last = store.last_number() if chosen.until_ms is None else store.number_since(chosen.until_ms) - 1
    return (max(first, min(numbers)), min(last, max(numbers))) if numbers else (first, last)


def preview(
    store: Store, plan: Plan, matching: Callable[[StoredMessage], tuple[str, ...]]
) -> Iterator[Preview]:
    """The same growing answer after each page; the last one is the result. `matching` names the routes of a
    message where the plan names none."""
    first, last = span(store, plan)
    answer = Preview()
    yield answer
    for page in _pages(store, plan, first, last):
        answer.looked += len(page)
        for message in page:
            if plan.selection.takes(message):
                answer.add(message, plan.routes or matching(message))
        yield answer


def _pages(store: Store, plan: Plan, first: int, last: int) -> Iterator[list[StoredMessage]]:
    if plan.selection.numbers:
        wanted = sorted(number for number in plan.selection.numbers if first <= number <= last)
        yield from (list(store.messages(wanted[at : at + PAGE])) for at in range(0, len(wanted), PAGE))
        return
    while first <= last and (page := store.page(first, last, PAGE)):
        yield page
        first = page[-1].number + 1
