"""`hookyard tail`: messages as they come in, each with what the routes did to it."""

from collections import deque
from collections.abc import Iterator
from typing import Unpack

import click
import msgspec
import redis.exceptions

from receiver.cli.console import console, plain
from receiver.cli.lookup import known_routes, open_store
from receiver.cli.selecting import Chosen, by_content, by_outcome, selection
from receiver.cli.times import moment_option
from receiver.cli.views import as_json, brief, print_line, sentence
from receiver.core.clock import SYSTEM, Clock, pause, utc
from receiver.core.delivery_search import Found, wanted
from receiver.core.errors import Unavailable
from receiver.core.message import Status, StoredMessage
from receiver.core.reading import PAGE, Store
from receiver.core.selection import Selection

LOOK_S = 0.25
PATIENCE_S = 2.0
"""Longest wait for the routes before a message is shown with what is known of it."""
OPEN = frozenset({Status.QUEUED, Status.RUNNING})
"""A delivery that waits for a retry, or is held, has something to tell."""


@click.command()
@click.option("--since", metavar="TIME", callback=moment_option, help="Begin with those that arrived since.")
@by_content
@by_outcome
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line, with the whole message.")
def tail(
    since: int | None,
    statuses: tuple[Status, ...],
    routes: tuple[str, ...],
    as_lines: bool,
    **chosen: Unpack[Chosen],
) -> None:
    """Follow messages as they come in.

    Each is shown once the routes had their turn with it, or after two seconds. Ctrl-C ends it.
    """
    with open_store() as store:
        known_routes(store, routes)
        follower = Follower(store, selection(store, **chosen), since)
        click.echo("Following; Ctrl-C ends it.", err=True)
        while True:
            for found in _patiently(follower):
                if (statuses or routes) and not any(wanted(one, statuses, routes) for one in found[1]):
                    continue
                if as_lines:
                    print_line(as_json(*found))
                else:
                    _print(found)
            if not follower.behind:
                pause(LOOK_S)


def _patiently(follower: "Follower") -> list[Found]:
    """One look. A store that is away for a while is said, and looked at again."""
    try:
        return list(follower.look())
    except (Unavailable, redis.exceptions.RedisError) as error:
        click.echo(f"The store does not answer, trying again: {error}", err=True)
        pause(PATIENCE_S)
        return []


class Pending(msgspec.Struct, frozen=True):
    """A message that was seen and not yet shown."""

    message: StoredMessage
    seen: float


class Follower:
    """Looks at a store again and again: first shows what is new in the order it came."""

    def __init__(self, store: Store, chosen: Selection, since_ms: int | None, clock: Clock = SYSTEM) -> None:
        self._store = store
        self._chosen = chosen
        self._clock = clock
        self._cursor = store.last_number() if since_ms is None else store.number_since(since_ms) - 1
        self._pending: deque[Pending] = deque()
        self.behind = False
        """There is more than one look takes in."""

    def look(self) -> Iterator[Found]:
        """At most a page of new messages; answers those that are ready to be shown."""
        last = self._store.last_number()
        if last < self._cursor:  # it was emptied, and counts from 1 again
            self._cursor = 0
        page = self._store.page(self._cursor + 1, last, PAGE) if last > self._cursor else []
        now = self._clock.monotonic()
        self._pending += [Pending(message, now) for message in page if self._chosen.takes(message)]
        self._cursor = page[-1].number if page else last
        self.behind = self._cursor < last
        deliveries = self._store.deliveries_of([one.message.number for one in self._pending])
        while self._pending:
            oldest = self._pending[0]
            mine = deliveries.get(oldest.message.number, [])
            impatient = now - oldest.seen >= PATIENCE_S or len(self._pending) > PAGE or self.behind
            if not impatient and any(one.status in OPEN for one in mine):
                return
            self._pending.popleft()
            yield oldest.message, mine


def _print(found: Found) -> None:
    message, deliveries = found
    says = brief(message.body)
    when = utc(message.received_ms).strftime("%H:%M:%S")
    line = "  ".join(filter(None, (when, message.id, says.title, says.user)))
    out = console()
    out.print(plain(line), soft_wrap=True)
    for delivery in deliveries:
        style = {Status.DELIVERED: "green", Status.DEAD: "red"}.get(delivery.status, "yellow")
        out.print(f"          → {plain(sentence(delivery))}", style=style, soft_wrap=True)
    if not deliveries:
        out.print("          → no route", style="dim", soft_wrap=True)
