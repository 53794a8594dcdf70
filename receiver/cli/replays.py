"""`hookyard replays`: the replays so far, and a hand on those that run."""

from collections.abc import Iterator
from typing import Any

import click

from receiver.cli.console import print_json
from receiver.cli.listing import print_list, tell_more
from receiver.cli.lookup import open_store, refuse_options
from receiver.cli.times import age, minute
from receiver.cli.views import cut
from receiver.core import replays as core
from receiver.core.clock import SYSTEM, iso
from receiver.core.message import message_name
from receiver.core.replays import Progress
from receiver.core.selection import Selection

LIMIT = 20


@click.group(invoke_without_command=True)
@click.option("--limit", type=click.IntRange(min=1), default=LIMIT, show_default=True, help="Most to show.")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line.")
@click.pass_context
def replays(ctx: click.Context, limit: int, as_lines: bool) -> None:
    """List replays; pause, resume or cancel one."""
    if ctx.invoked_subcommand is not None:
        refuse_options(ctx)
        return
    with open_store() as store:
        found = core.listed(store.redis, limit + 1)
    shown = found[:limit]
    if as_lines:
        for one in shown:
            print_json(replay_json(one))
    elif shown:
        columns = ("id", "state", "ago", "walked", "delivered", "dropped", "dead", "open", "messages")
        rows = [_row(one, SYSTEM.now_ms()) for one in shown]
        right = ("id", "walked", "delivered", "dropped", "dead", "open")
        print_list(columns, rows, flexible=("messages",), right=right)
    else:
        click.echo("There are no replays.")
    if len(found) > limit:
        tell_more(limit)


@replays.command()
@click.argument("replay_id", metavar="ID", type=int)
def pause(replay_id: int) -> None:
    """Hand nothing more to the routes; what they have goes on."""
    _change(replay_id, "paused")
    click.echo(f"Replay {replay_id} is paused. hookyard replays resume {replay_id} lets it go on.")


@replays.command()
@click.argument("replay_id", metavar="ID", type=int)
def resume(replay_id: int) -> None:
    """Go on where it was paused."""
    now_ms = SYSTEM.now_ms()
    with open_store() as store:
        core.change(store.redis, replay_id, "running", now_ms=now_ms)
        store.jobs.enqueue_replay(replay_id, f"replay-{replay_id}-{now_ms}")
    click.echo(f"Replay {replay_id} goes on.")


@replays.command()
@click.argument("replay_id", metavar="ID", type=int)
def cancel(replay_id: int) -> None:
    """Stop for good; deliveries that nobody has begun are dropped."""
    _change(replay_id, "cancelled")
    click.echo(f"Replay {replay_id} is cancelled.")


def _change(replay_id: int, state: str) -> None:
    with open_store() as store:
        core.change(store.redis, replay_id, state, now_ms=SYSTEM.now_ms())


def replay_json(progress: Progress) -> dict[str, Any]:
    """Everything known of a replay."""
    chosen = progress.plan.selection
    return {
        "id": progress.id,
        "state": progress.state,
        "over": progress.over,
        "created_at": iso(progress.created_ms),
        "ended_at": progress.ended_ms and iso(progress.ended_ms),
        "rate": progress.plan.rate,
        "routes": list(progress.plan.routes),
        "selection": {
            "since": None if chosen.since_ms is None else iso(chosen.since_ms),
            "until": None if chosen.until_ms is None else iso(chosen.until_ms),
            "ids": [message_name(number) for number in chosen.numbers],
            "types": list(chosen.types),
            "events": list(chosen.events),
            "sources": list(chosen.sources),
            "user": chosen.user,
            "invalid": chosen.invalid,
            "where": chosen.where,
        },
        "share": round(progress.share, 4),
        "matched": progress.matched,
        "deliveries": progress.deliveries,
        "delivered": progress.delivered,
        "dropped": progress.dropped,
        "dead": progress.dead,
    }


def _row(progress: Progress, now_ms: int) -> tuple[object, ...]:
    return (
        progress.id,
        state_word(progress),
        age(progress.created_ms, now_ms),
        f"{progress.share:.0%}",
        progress.delivered,
        progress.dropped,
        progress.dead,
        progress.deliveries - progress.settled,
        cut(_words(progress), 120),
    )


def state_word(progress: Progress) -> str:
    """The state as people mean it: a replay is done when its deliveries are."""
    return "delivering" if progress.state == "done" and not progress.over else progress.state


def _words(progress: Progress) -> str:
    said = " ".join(_selected(progress.plan.selection))
    return f"{said} → {', '.join(progress.plan.routes)}" if progress.plan.routes else said


def _selected(chosen: Selection) -> Iterator[str]:
    if chosen.numbers:
        yield ", ".join(message_name(number) for number in chosen.numbers[:3])
        if len(chosen.numbers) > 3:
            yield f"and {len(chosen.numbers) - 3} more"
    yield from (", ".join(names) for names in (chosen.types, chosen.events) if names)
    if chosen.sources:
        yield f"from {', '.join(chosen.sources)}"
    if chosen.user is not None:
        yield f"of {chosen.user}"
    if chosen.invalid:
        yield "invalid ones"
    if chosen.where is not None:
        yield f"where {chosen.where}"
    if chosen.since_ms is not None:
        yield f"since {minute(chosen.since_ms)}"
    if chosen.until_ms is not None:
        yield f"until {minute(chosen.until_ms)}"
