"""`hookyard routes move` and `drop`: what waits on a route that was renamed, removed or paused."""

import sys
from typing import cast

import click

from receiver.cli.console import plain, print_json, progress
from receiver.cli.lookup import known_routes, open_store
from receiver.core import clearing, keys
from receiver.core.clearing import Order, Waiting
from receiver.core.reading import Store

_yes = click.option("--yes", is_flag=True, help="Do not ask.")
_json = click.option("--json", "as_json", is_flag=True, help="The counts as one JSON object.")


@click.command()
@click.argument("old")
@click.argument("new")
@click.option("--resume", is_flag=True, help="NEW is OLD under another name: do not run steps that are done.")
@_yes
@_json
def move(old: str, new: str, resume: bool, yes: bool, as_json: bool) -> int:
    """Deliver by the route NEW what waits on OLD.

    OLD is gone from routes.yaml, or paused. What waits to be worked or for a retry begins anew on NEW; dead
    letters are dead letters there. What came of it on OLD stays on record. Of a message that NEW takes
    already there is no second delivery. Interrupted, it goes on when it is begun again.
    """
    if old == new:
        raise click.UsageError("OLD and NEW are the same route")
    with open_store() as store:
        known_routes(store, (old, new))
        numbers = store.route_numbers()
        if not _about(store, numbers[new])["queue"]:
            raise click.UsageError(f"no worker serves {new}: put it into routes.yaml first")
        order = Order(route=numbers[old], to=numbers[new], resume=resume)
        return _clear(
            store, old, order, f"Move {{}} from {plain(old)} to {plain(new)}", yes=yes, as_json=as_json
        )


@click.command()
@click.argument("name")
@_yes
@_json
def drop(name: str, yes: bool, as_json: bool) -> int:
    """Give up what waits on a route, dead letters too.

    The route is gone from routes.yaml, or paused. Each delivery stays on record as dropped by the operator;
    the messages stay, and can be replayed. Interrupted, it goes on when it is begun again.
    """
    with open_store() as store:
        known_routes(store, (name,))
        order = Order(route=store.route_numbers()[name])
        return _clear(store, name, order, f"Drop {{}} of {plain(name)}", yes=yes, as_json=as_json)


def _clear(store: Store, name: str, order: Order, question: str, *, yes: bool, as_json: bool) -> int:
    about = _about(store, order.route)
    if about["queue"] and not about["paused"]:
        raise click.UsageError(
            f"{name} is in force, and what comes in would be worked meanwhile: pause it first, "
            f"hookyard routes pause {name}"
        )
    found = clearing.waiting(store.redis, order.route)
    if found.clearable and not (yes or _agreed(question.format(_counted(found)))):
        return 1
    cleared = there = 0
    with progress() as bar:
        task = bar.add_task("Moving" if order.to is not None else "Dropping", total=found.clearable)
        for done in clearing.carry_out(store, order):
            cleared, there = cleared + done.cleared, there + done.there
            bar.update(task, completed=cleared)
    left = clearing.waiting(store.redis, order.route)
    _tell(name, order, cleared, there, left, as_json=as_json)
    return 0


def _agreed(question: str) -> bool:
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question}? Add --yes")
    return click.confirm(f"{question}?", err=True)


def _tell(name: str, order: Order, cleared: int, there: int, left: Waiting, *, as_json: bool) -> None:
    verb = "dropped" if order.to is None else "moved"
    if as_json:
        print_json({verb: cleared - there, "already_there": there, "left": left.clearable + left.running})
        return
    click.echo(f"{_deliveries(cleared - there)} {verb}." if cleared else f"Nothing waits on {plain(name)}.")
    if there:
        click.echo(f"{_deliveries(there)} dropped, because the other route has them already.")
    if left.running or left.clearable:
        click.echo(
            f"{_deliveries(left.running + left.clearable)} came back or still run: do it again later.",
            err=True,
        )


def _about(store: Store, route: int) -> dict[str, str]:
    fields = ("queue", "paused")
    found = cast("list[bytes | None]", store.redis.hmget(keys.key("ROUTE", route), list(fields)))
    return {field: (value or b"").decode() for field, value in zip(fields, found, strict=True)}


def _counted(found: Waiting) -> str:
    parts = ((found.backlog, "waiting"), (found.later, "for a retry"), (found.dead, "dead"))
    return (
        f"{_deliveries(found.clearable)} ({', '.join(f'{count} {what}' for count, what in parts if count)})"
    )


def _deliveries(count: int) -> str:
    return f"{count} deliver{'y' if count == 1 else 'ies'}"
