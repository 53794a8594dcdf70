"""`hookyard dead`: dead letters by reason, and each of them."""

from itertools import islice
from typing import Any

import click

from receiver.cli.console import print_json, progress
from receiver.cli.dead_drop import drop
from receiver.cli.dead_retry import retry
from receiver.cli.listing import print_list, tell_more
from receiver.cli.lookup import known_routes, open_store, refuse_options
from receiver.cli.times import age
from receiver.cli.views import cut, in_short, route_name
from receiver.core import dead_letters
from receiver.core.clock import SYSTEM, iso
from receiver.core.dead_letters import DeadGroup, DeadLetter, Wanted
from receiver.core.message import message_name
from receiver.core.reading import FEW, Store

LIMIT = 20


@click.group(invoke_without_command=True)
@click.option("--route", "routes", metavar="NAME", multiple=True, help="List those of this route.")
@click.option("--code", "codes", metavar="CODE", multiple=True, help="List those with this reason.")
@click.option(
    "--limit", type=click.IntRange(1, 1_000_000), default=LIMIT, show_default=True, help="Most to list."
)
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line.")
@click.pass_context
def dead(
    ctx: click.Context, routes: tuple[str, ...], codes: tuple[str, ...], limit: int, as_lines: bool
) -> None:
    """Show dead letters by reason; retry or drop them.

    Without options they are counted by route and reason; with --route or --code they are listed.
    """
    if ctx.invoked_subcommand is not None:
        refuse_options(ctx)
        return
    with open_store() as store:
        known_routes(store, routes)
        wanted = Wanted(routes=routes, codes=codes)
        if routes or codes:
            _list(store, wanted, limit, as_lines=as_lines)
        else:
            _group(store, wanted, as_lines=as_lines)


def _group(store: Store, wanted: Wanted, *, as_lines: bool) -> None:
    total = sum(dead_letters.count(store).values())
    with progress() as bar:
        letters = dead_letters.letters(store, wanted)
        groups = dead_letters.grouped(bar.track(letters, total=total, description="Counting"))
    errors = _errors(store, [group.newest for group in groups])
    if as_lines:
        for group in groups:
            print_json(_group_json(group, errors[group.newest]))
        return
    if not groups:
        click.echo("There are no dead letters.")
        return
    now_ms = SYSTEM.now_ms()
    rows = [
        (
            group.route,
            group.code,
            group.count,
            age(group.oldest_ms, now_ms),
            age(group.newest.died_ms, now_ms),
            message_name(group.newest.message),
            cut(in_short(errors[group.newest]), 120),
        )
        for group in groups
    ]
    columns = ("route", "reason", "count", "oldest", "newest", "such as", "error")
    print_list(columns, rows, flexible=("route", "reason", "error"), right=("count",))
    click.echo("\nList them: hookyard dead --route NAME. Again: hookyard dead retry --route NAME.")


def _list(store: Store, wanted: Wanted, limit: int, *, as_lines: bool) -> None:
    found = dead_letters.letters(store, wanted, newest_first=True)
    with progress() as bar:
        bar.add_task("Searching", total=None)
        letters = list(islice(found, limit))
        more = next(found, None) is not None
    errors = _errors(store, letters)
    if as_lines:
        for letter in letters:
            print_json(_letter_json(letter, errors[letter]))
    elif letters:
        now_ms = SYSTEM.now_ms()
        rows = [
            (
                message_name(letter.message),
                route_name(letter.route, letter.replay),
                age(letter.died_ms, now_ms),
                letter.code,
                cut(in_short(errors[letter]), 120),
            )
            for letter in letters
        ]
        print_list(("id", "route", "died", "reason", "error"), rows, flexible=("route", "reason", "error"))
    else:
        click.echo("No dead letter is like that.")
    if more:
        tell_more(limit)


def _errors(store: Store, letters: list[DeadLetter]) -> dict[DeadLetter, str]:
    """Letter → what the last attempt said."""
    found: dict[DeadLetter, str] = {}
    for first in range(0, len(letters), FEW):
        page = letters[first : first + FEW]
        deliveries = store.deliveries_of(sorted({letter.message for letter in page}))
        for letter in page:
            mine = (
                one.error
                for one in deliveries.get(letter.message, [])
                if (one.route, one.replay) == (letter.route, letter.replay)
            )
            found[letter] = next(mine, "")
    return found


def _group_json(group: DeadGroup, error: str) -> dict[str, Any]:
    return {
        "route": group.route,
        "code": group.code,
        "count": group.count,
        "oldest_at": iso(group.oldest_ms),
        "newest_at": iso(group.newest.died_ms),
        "newest": message_name(group.newest.message),
        "error": error,
    }


def _letter_json(letter: DeadLetter, error: str) -> dict[str, Any]:
    return {
        "id": message_name(letter.message),
        "route": letter.route,
        "replay": letter.replay or None,
        "code": letter.code,
        "died_at": iso(letter.died_ms),
        "error": error,
    }


dead.add_command(retry)
dead.add_command(drop)
