"""`hookyard replay`: delivers stored messages again, and shows how far that is."""

from typing import Unpack

import click

from receiver.cli.console import print_json
from receiver.cli.lookup import known_routes, messages_named, open_store
from receiver.cli.replay_preview import show_preview
from receiver.cli.replay_watch import tell_detached, watch
from receiver.cli.replays import replay_json
from receiver.cli.selecting import Chosen, by_content, by_time, selection
from receiver.core import replays, units
from receiver.core.clock import SYSTEM
from receiver.core.reading import Store
from receiver.core.replay_plan import span
from receiver.core.replays import Plan


def _rate(ctx: click.Context, param: click.Parameter, value: str) -> float:
    """Deliveries a second."""
    try:
        return units.per_second(value if "/" in value else f"{value}/s")
    except ValueError:
        raise click.BadParameter(f"{value!r} is no rate; write for example 50, 50/s or 600/m") from None


@click.command()
@click.option("--id", "names", metavar="ID", multiple=True, help="msg_17, 17 or a messageId.")
@by_time
@by_content
@click.option(
    "--route",
    "routes",
    metavar="NAME",
    multiple=True,
    help="Deliver to this route, whatever its filter says; without, to those that match today.",
)
@click.option(
    "--rate", metavar="N", default="100", show_default=True, callback=_rate, help="Deliveries: 50/s, 600/m."
)
@click.option("--dry-run", is_flag=True, help="Only say what it would deliver, and how long it would take.")
@click.option("--detach", is_flag=True, help="Do not wait for its end.")
@click.option("--json", "as_json", is_flag=True, help="The result as one JSON object.")
def replay(
    names: tuple[str, ...],
    since: int | None,
    until: int | None,
    routes: tuple[str, ...],
    rate: float,
    dry_run: bool,
    detach: bool,
    as_json: bool,
    **chosen: Unpack[Chosen],
) -> int:
    """Deliver stored messages again.

    At least one option must say which messages; --since 1970-01-01 means all. Live traffic goes first. Ctrl-C
    stops waiting, not the replay. Exits with 1 when the replay was cancelled or left dead letters.
    """
    if not (names or since is not None or until is not None or any(chosen.values())):
        raise click.UsageError(
            "say which messages: --id, --since, --until, --type, --event, --source, --user or --where"
        )
    with open_store() as store:
        _servable(store, routes, dry_run=dry_run)
        numbers = {found.number for name in names for found in messages_named(store, name)}
        wanted = selection(store, since, until, tuple(sorted(numbers)), **chosen)
        plan = Plan(selection=wanted, routes=routes, rate=rate)
        if dry_run:
            show_preview(store, plan, as_json=as_json)
            return 0
        return _order(store, plan, detach=detach, as_json=as_json)


def _servable(store: Store, routes: tuple[str, ...], *, dry_run: bool) -> None:
    """Raises click.UsageError for a route nobody knows, or whose deliveries nobody would take."""
    known_routes(store, routes)
    served = {state.name for state in store.routes() if state.queue}
    for name in routes:
        if name not in served and not dry_run:
            raise click.UsageError(f"no worker serves the route {name}: is it in the workers' routes.yaml?")


def _order(store: Store, plan: Plan, *, detach: bool, as_json: bool) -> int:
    first, last = span(store, plan)
    if last < first:
        click.echo("No stored message is like that; nothing to replay.", err=True)
        return 0
    now_ms = SYSTEM.now_ms()
    replay_id = replays.create(store.redis, plan, first=first, last=last, now_ms=now_ms)
    store.jobs.enqueue_replay(replay_id, f"replay-{replay_id}-{now_ms}")
    if not detach:
        return watch(store, replay_id, as_json=as_json)
    progress = replays.progress(store.redis, replay_id)
    if as_json and progress is not None:
        print_json(replay_json(progress))
    else:
        tell_detached(replay_id)
    return 0
