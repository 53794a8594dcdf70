"""`hookyard routes`: how the routes stand, and a hand on them."""

from typing import Any

import click

from receiver.cli.console import console, plain, print_json
from receiver.cli.listing import print_list
from receiver.cli.lookup import known_routes, open_store, refuse_options
from receiver.cli.routes_clear import drop, move
from receiver.cli.times import age
from receiver.core.clock import SYSTEM, iso
from receiver.core.reading import RouteState

MINUTES = 10
"""Of recent counts: see `RouteState.counts`."""


@click.group(invoke_without_command=True)
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line.")
@click.pass_context
def routes(ctx: click.Context, as_lines: bool) -> None:
    """Show how each route stands; pause or resume one.

    Rate and errors are those of the last ten minutes: deliveries that ended well, and attempts that failed.
    """
    if ctx.invoked_subcommand is not None:
        refuse_options(ctx)
        return
    with open_store() as store:
        states = store.routes()
    if as_lines:
        for state in states:
            print_json(_as_json(state))
        return
    if not states:
        click.echo("The store knows no routes yet: start `hookyard workers`.")
        return
    now_ms = SYSTEM.now_ms()
    columns = ("route", "queue", "state", "waiting", "oldest", "running", "rate", "errors", "dead")
    right = ("waiting", "oldest", "running", "rate", "errors", "dead")
    out = console()
    rows = (_row(state, now_ms) for state in states)
    print_list(columns, rows, flexible=("route", "queue"), right=right)
    for state in states:
        if state.paused:
            out.print()
            out.print(plain(f"{state.name} is paused: {state.paused}"), soft_wrap=True)


@routes.command()
@click.argument("name")
def pause(name: str) -> None:
    """Hold a route: its messages wait, nothing is lost."""
    with open_store() as store:
        known_routes(store, [name])
        store.pause(store.route_numbers()[name], "paused by hand")
    click.echo(f"{name} is paused. hookyard routes resume {name} lets it go on.")


@routes.command()
@click.argument("name")
def resume(name: str) -> None:
    """Let a paused route go on."""
    with open_store() as store:
        known_routes(store, [name])
        was = store.resume(store.route_numbers()[name])
    click.echo(f"{name} goes on." if was else f"{name} was not paused.")


def _good(state: RouteState) -> int:
    return state.counts.get("delivered", 0) + state.counts.get("dropped", 0)


def _bad(state: RouteState) -> int:
    return state.counts.get("retried", 0) + state.counts.get("dead", 0)


def _row(state: RouteState, now_ms: int) -> tuple[object, ...]:
    attempts = _good(state) + _bad(state)
    return (
        state.name,
        state.queue,
        "paused" if state.paused else "on" if state.queue else "not served",
        state.backlog + state.replaying,
        age(state.oldest_ms, now_ms),
        f"{state.running}/{state.concurrency}",
        _rate(_good(state)),
        f"{_bad(state) / attempts:.0%}" if attempts else "",
        state.dead,
    )


def _rate(count: int) -> str:
    """Of a count in ten minutes."""
    if not count:
        return ""
    a_minute = count / MINUTES
    return f"{a_minute / 60:.0f}/s" if a_minute >= 60 else f"{a_minute:.1f}/m"


def _as_json(state: RouteState) -> dict[str, Any]:
    return {
        "route": state.name,
        "queue": state.queue or None,
        "concurrency": state.concurrency,
        "paused": state.paused or None,
        "backlog": state.backlog,
        "replaying": state.replaying,
        "running": state.running,
        "dead": state.dead,
        "oldest_at": state.oldest_ms and iso(state.oldest_ms),
        "last_ten_minutes": {
            name: state.counts.get(name, 0) for name in ("delivered", "dropped", "retried", "dead")
        },
    }


routes.add_command(move)
routes.add_command(drop)
