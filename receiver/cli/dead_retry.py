"""`hookyard dead retry`: another round of attempts for dead letters that deserve it."""

import sys
from collections.abc import Iterable, Iterator

import click

from receiver.cli.console import plain, print_json, progress
from receiver.cli.lookup import known_routes, messages_named, open_store
from receiver.core import dead_letters
from receiver.core.clock import SYSTEM
from receiver.core.dead_letters import Wanted
from receiver.core.message import Delivery, Status
from receiver.core.reading import Store


@click.command()
@click.option("--all", "everything", is_flag=True, help="All dead letters.")
@click.option("--route", "routes", metavar="NAME", multiple=True, help="Those of this route.")
@click.option("--code", "codes", metavar="CODE", multiple=True, help="Those with this reason.")
@click.option("--id", "names", metavar="ID", multiple=True, help="Those of this message.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="The count as one JSON object.")
def retry(
    everything: bool,
    routes: tuple[str, ...],
    codes: tuple[str, ...],
    names: tuple[str, ...],
    yes: bool,
    as_json: bool,
) -> int:
    """Give dead letters a new round of attempts.

    They begin at the step that failed, with the outputs of those before it.
    """
    if everything == bool(routes or codes or names):
        raise click.UsageError("say which: --all, or any of --route, --code and --id")
    with open_store() as store:
        known_routes(store, routes)
        wanted = Wanted(routes=routes, codes=codes, until_ms=SYSTEM.now_ms())
        chosen = _of_messages(store, wanted, names) if names else None
        count = _count(store, wanted) if chosen is None else len(chosen)
        if not _agreed(count, yes=yes):
            return 1
        done = _redrive(store, wanted) if chosen is None else store.redrive(chosen)
        held = list(_held(store, set(routes) if chosen is None else {one.route for one in chosen}))
    if as_json:
        print_json({"retried": done, "held": [{"route": name, "reason": why} for name, why in held]})
        return 0
    click.echo(f"{_letters(done)} {'has' if done == 1 else 'have'} a new round of attempts.")
    for name, why in held:
        click.echo(f"{plain(name)} is held ({plain(why)}): they wait.", err=True)
    return 0


def _of_messages(store: Store, wanted: Wanted, names: Iterable[str]) -> list[Delivery]:
    numbers = sorted({message.number for name in names for message in messages_named(store, name)})
    return [
        one
        for mine in store.deliveries_of(numbers).values()
        for one in mine
        if one.status is Status.DEAD
        and (not wanted.routes or one.route in wanted.routes)
        and (not wanted.codes or one.code in wanted.codes)
    ]


def _count(store: Store, wanted: Wanted) -> int:
    counts = dead_letters.count(store, wanted.routes)
    if not wanted.codes:
        return sum(counts.values())
    with progress() as bar:
        letters = dead_letters.letters(store, Wanted(routes=wanted.routes, until_ms=wanted.until_ms))
        tracked = bar.track(letters, total=sum(counts.values()), description="Counting")
        return sum(wanted.takes(letter) for letter in tracked)


def _agreed(count: int, *, yes: bool) -> bool:
    """Asks, unless there is nothing to ask or nobody to answer."""
    if yes or count == 0:
        return True
    if not sys.stdin.isatty():
        raise click.UsageError(f"{_letters(count)} would be retried: add --yes")
    return click.confirm(f"Give {_letters(count)} a new round of attempts?", err=True)


def _redrive(store: Store, wanted: Wanted) -> int:
    total = sum(dead_letters.count(store, wanted.routes).values())
    done = 0
    with progress() as bar:
        task = bar.add_task("Retrying", total=total)
        for looked, redriven in dead_letters.redrive(store, wanted):
            done += redriven
            bar.advance(task, looked)
    return done


def _held(store: Store, routes: set[str]) -> Iterator[tuple[str, str]]:
    """Routes whose letters will wait all the same, and why."""
    for state in store.routes():
        if (not routes or state.name in routes) and state.backlog + state.replaying:
            if state.paused:
                yield state.name, f"{state.paused}; hookyard routes resume {state.name}"
            elif not state.queue:
                yield state.name, "no worker serves this route"


def _letters(count: int) -> str:
    return f"{count} dead letter{'' if count == 1 else 's'}"
