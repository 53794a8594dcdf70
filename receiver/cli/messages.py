"""`hookyard messages`: what came in, newest first, and what became of it."""

from collections.abc import Iterator
from itertools import islice
from typing import Unpack

import click

from receiver.cli.console import console, progress
from receiver.cli.listing import print_list, tell_more
from receiver.cli.lookup import known_routes, open_store
from receiver.cli.selecting import Chosen, by_content, by_outcome, by_time, selection
from receiver.cli.times import age, short
from receiver.cli.views import as_json, brief, cut, outcome, print_line
from receiver.core.clock import SYSTEM, iso
from receiver.core.delivery_search import Found, search
from receiver.core.message import Delivery, Status, StoredMessage

WIDE = 120
"""Columns of a terminal from which lists show more of each message."""
LIMIT = 20
COLUMNS = ("id", "UTC", "ago", "message", "user", "routes"), ("message", "user", "routes")
WIDE_COLUMNS = (
    ("id", "received", "ago", "message", "user", "source", "messageId", "routes"),
    ("message", "user", "messageId", "routes"),
)
"""What lists show, and which columns give way on a narrow terminal."""


@click.command()
@by_time
@by_content
@by_outcome
@click.option(
    "--limit", type=click.IntRange(1, 1_000_000), default=LIMIT, show_default=True, help="Most to show."
)
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line, with the whole message.")
def messages(
    since: int | None,
    until: int | None,
    statuses: tuple[Status, ...],
    routes: tuple[str, ...],
    limit: int,
    as_lines: bool,
    **chosen: Unpack[Chosen],
) -> None:
    """List stored messages.

    Newest first; with --status queued, running, waiting or dead in the order in which they stand there. An
    option that is repeated means any of its values; different options must all hold. Times are UTC.
    """
    with open_store() as store:
        known_routes(store, routes)
        wanted = selection(store, since, until, **chosen)
        found = search(store, wanted, statuses=statuses, routes=routes)
        more = _print_lines(found, limit) if as_lines else _print_table(found, limit)
    if more:
        tell_more(limit)


def _print_lines(found: Iterator[Found], limit: int) -> bool:
    """Each as soon as it is found; answers whether there are more."""
    for message, deliveries in islice(found, limit):
        print_line(as_json(message, deliveries))
    return next(found, None) is not None


def _print_table(found: Iterator[Found], limit: int) -> bool:
    wide = console().width >= WIDE
    with progress() as bar:
        bar.add_task("Searching", total=None)
        rows = [(_wide_row if wide else _row)(*one) for one in islice(found, limit)]
        more = next(found, None) is not None
    if rows:
        columns, flexible = WIDE_COLUMNS if wide else COLUMNS
        print_list(columns, rows, flexible=flexible)
    else:
        click.echo("No message is like that.")
    return more


def _row(message: StoredMessage, deliveries: list[Delivery]) -> tuple[object, ...]:
    says = brief(message.body)
    now_ms = SYSTEM.now_ms()
    when = short(message.received_ms, now_ms)
    ago = age(message.received_ms, now_ms)
    return (message.id, when, ago, cut(says.title, 60), cut(says.user, 12), outcome(deliveries))


def _wide_row(message: StoredMessage, deliveries: list[Delivery]) -> tuple[object, ...]:
    says = brief(message.body)
    return (
        message.id,
        iso(message.received_ms),
        age(message.received_ms, SYSTEM.now_ms()),
        cut(says.title, 80),
        cut(says.user, 40),
        message.source,
        cut(says.message_id or "", 60),
        outcome(deliveries),
    )
