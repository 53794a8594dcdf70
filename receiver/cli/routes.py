"""`hookyard routes`: how the routes stand, and a hand on them."""

from collections.abc import Iterator
from typing import Any

import click

from receiver.cli.console import console, plain, print_json
from receiver.cli.listing import print_list
from receiver.cli.lookup import known_routes, open_store, refuse_options
from receiver.cli.routes_clear import drop, move
from receiver.cli.routes_preview import preview
from receiver.cli.times import age
from receiver.core.clock import SYSTEM, iso
from receiver.core.route_states import Breaker, RouteState

MINUTES = 10
"""Of recent counts: see `RouteState.counts`."""
SOON_MS = 2000
"""A route that waits no longer by its rate is not worth a word."""


@click.group(invoke_without_command=True)
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line.")
@click.pass_context
def routes(ctx: click.Context, as_lines: bool) -> None:
    """Show how each route stands; pause one, move or drop what waits.

    Rate and errors are those of the last ten minutes: deliveries that ended well, and attempts that failed. A
    route that is gone from routes.yaml is listed as long as anything waits on it.
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
    for told in (told for state in states for told in _told(state, now_ms)):
        out.print()
        out.print(plain(told), soft_wrap=True)


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
        _state(state),
        state.waiting,
        age(state.oldest_ms or None, now_ms),
        f"{state.running}/{state.concurrency}" if state.queue else state.running,
        _rate(_good(state)),
        f"{_bad(state) / attempts:.0%}" if attempts else "",
        state.dead,
    )


def _state(state: RouteState) -> str:
    if state.gone_ms:
        return "gone"
    if state.paused:
        return "paused"
    if state.breaker.shut:
        return state.breaker.state
    return "on" if state.queue else "not served"


def _told(state: RouteState, now_ms: int) -> Iterator[str]:
    """What the table has no room for."""
    if state.gone_ms:
        since = age(state.gone_ms, now_ms)
        yield (
            f"{state.name} went out of routes.yaml {since} ago. To deliver what waits by another route: "
            f"hookyard routes move {state.name} NEW. To give it up: hookyard routes drop {state.name}"
        )
    if state.paused:
        yield f"{state.name} is paused: {state.paused}"
    breaker = state.breaker
    if breaker.shut:
        since = f"its circuit breaker opened {age(breaker.since_ms, now_ms)} ago: {breaker.reason}"
        yield f"{state.name}: {since}. {_way_back(breaker, now_ms)}"
    elif state.backlog + state.replaying and breaker.probe_ms - now_ms >= SOON_MS and not state.paused:
        yield f"{state.name}: its rate_limit lets the next go in {age(now_ms, breaker.probe_ms)}."
    if state.parked:
        waiting = f"{state.parked} of those that wait" if state.parked > 1 else "one of those that wait"
        yield f"{state.name}: {waiting} must let others of the same ordering key go first."


def _way_back(breaker: Breaker, now_ms: int) -> str:
    if breaker.state == "open":
        failed = f"{breaker.trips - 1} times it tried to go on, and failed. " if breaker.trips > 1 else ""
        left_s = max(0, breaker.probe_ms - now_ms) / 1000
        return f"{failed}Its deliveries are held; one of them probes in {left_s:.0f} s."
    if breaker.state == "probing":
        return "One of its deliveries probes now."
    return f"It works again, {breaker.limit} deliveries at a time."


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
        "rate_limit": state.rate or None,
        "paused": state.paused or None,
        "breaker": _breaker_as_json(state.breaker),
        "gone_since": iso(state.gone_ms) if state.gone_ms else None,
        "backlog": state.backlog,
        "later": state.later if not state.queue else None,
        "replaying": state.replaying,
        "parked": state.parked,
        "running": state.running,
        "dead": state.dead,
        "oldest_at": iso(state.oldest_ms) if state.oldest_ms else None,
        "last_ten_minutes": {
            name: state.counts.get(name, 0)
            for name in ("delivered", "dropped", "retried", "dead", "overtaken")
        },
    }


def _breaker_as_json(breaker: Breaker) -> dict[str, Any]:
    if not breaker.shut:
        return {"state": "closed"}
    return {
        "state": breaker.state,
        "reason": breaker.reason,
        "trips": breaker.trips,
        "since": iso(breaker.since_ms),
        "probe_at": iso(breaker.probe_ms) if breaker.state == "open" else None,
        "limit": breaker.limit,
    }


routes.add_command(move)
routes.add_command(drop)
routes.add_command(preview)
