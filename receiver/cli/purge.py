"""`hookyard purge`: deletes what is stored of a user. The workers do it; this orders it, and waits."""

import sys

import click

from receiver.cli.console import print_json, progress
from receiver.cli.lookup import open_store
from receiver.core import purges
from receiver.core.clock import SYSTEM, pause
from receiver.core.purges import Purge
from receiver.core.reading import Store
from receiver.core.selection import Selection, user_of

LOOK_S = 0.25
HINT_S = 5.0
"""Without any progress for so long, say who does the work."""


@click.command()
@click.option("--user", metavar="ID", required=True, help="The userId.")
@click.option("--dry-run", is_flag=True, help="Only count.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="The count as one JSON object.")
def purge(user: str, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Delete what is stored of a user.

    All messages with exactly this userId, with their deliveries and dead letters; not those with the same
    anonymousId only, nor the delete messages that ordered a purge. It cannot be undone.
    """
    with open_store() as store:
        count = 0 if yes and not dry_run else _count(store, user)
        if dry_run:
            _say(as_json, f"{_messages(count)} would be deleted.", messages=count)
            return 0
        if not (yes or _agreed(count)):
            return 1
        order = purges.order(store.redis, user)
        try:
            done = _wait(store, order)
        except KeyboardInterrupt:
            click.echo("The purge goes on by itself, as soon as workers run.", err=True)
            return 130
    _say(as_json, f"Deleted {_messages(done.messages)}.", order=order, messages=done.messages)
    return 0


def _count(store: Store, user: str) -> int:
    found = store.scan(Selection(user=user))
    return sum(user_of(message) == user and not message.orders_purge for message in found)


def _agreed(count: int) -> bool:
    if not sys.stdin.isatty():
        raise click.UsageError(f"{_messages(count)} would be deleted for good: add --yes")
    return click.confirm(f"Delete {_messages(count)} for good?", err=True)


def _wait(store: Store, order: str) -> Purge:
    moved, told = SYSTEM.monotonic(), False
    now = purges.progress(store.redis, order)
    with progress() as bar:
        task = bar.add_task("Deleting", total=None)
        while not now.done:
            if not told and SYSTEM.monotonic() - moved > HINT_S:
                bar.console.print("It waits for the workers: hookyard workers, hookyard dev", soft_wrap=True)
                told = True
            pause(LOOK_S)
            before, now = now, purges.progress(store.redis, order)
            if now.messages > before.messages:
                moved = SYSTEM.monotonic()
            bar.update(task, completed=now.messages)
    return now


def _say(as_json: bool, sentence: str, **fields: object) -> None:
    if as_json:
        print_json(fields)
    else:
        click.echo(sentence)


def _messages(count: int) -> str:
    return f"{count} message{'' if count == 1 else 's'}"
