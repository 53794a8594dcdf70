"""The options that say which messages: the same words in every command that lists or replays."""

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, TypedDict, TypeVar, Unpack

import click

from receiver.cli.fql_option import where_option
from receiver.cli.lookup import known_sources
from receiver.cli.times import moment_option
from receiver.core.findings import suggestion
from receiver.core.globs import GlobError, compile_glob
from receiver.core.message import Status
from receiver.core.reading import Store
from receiver.core.routes_check import KNOWN_TYPES
from receiver.core.selection import Selection

F = TypeVar("F", bound=Callable[..., Any])


def _types(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Segment may send more types one day: only what looks like a slip is refused."""
    for value in values:
        if value not in KNOWN_TYPES and get_close_matches(value, KNOWN_TYPES, n=1):
            raise click.BadParameter(f"no type is called {value}{suggestion(value, KNOWN_TYPES)}")
    return values


def _events(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return tuple(compile_glob(value).pattern for value in values)
    except GlobError as error:
        raise click.BadParameter(str(error)) from None


def _statuses(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[Status, ...]:
    known = [str(status) for status in Status]
    for value in values:
        if value not in known:
            raise click.BadParameter(f"no status is called {value}{suggestion(value, known)}")
    return tuple(Status(value) for value in values)


class Chosen(TypedDict):
    """What the content options were given."""

    types: tuple[str, ...]
    events: tuple[str, ...]
    sources: tuple[str, ...]
    user: str | None
    invalid: bool
    where: str | None


def by_content(command: F) -> F:
    """Adds --type, --event, --source, --user, --invalid and --where; the command takes them as
    `**chosen: Unpack[Chosen]`."""
    event = 'Name of a track event, or a pattern: "Order *".'
    return _with(
        command,
        click.option(
            "--type", "types", metavar="TYPE", multiple=True, callback=_types, help="track, page, …"
        ),
        click.option("--event", "events", metavar="GLOB", multiple=True, callback=_events, help=event),
        click.option("--source", "sources", metavar="NAME", multiple=True, help="Source it came from."),
        click.option("--user", metavar="ID", help="userId or anonymousId."),
        click.option("--invalid", is_flag=True, help="Only those that Segment would reject."),
        where_option,
    )


def by_time(command: F) -> F:
    """Adds --since and --until, in milliseconds."""
    since = "Arrived since: 2026-07-30, 2026-07-30T12:00Z, 1h (ago), today."
    return _with(
        command,
        click.option("--since", metavar="TIME", callback=moment_option, help=since),
        click.option("--until", metavar="TIME", callback=moment_option, help="Arrived before."),
    )


def by_outcome(command: F) -> F:
    """Adds --status and --route."""
    status = "With a delivery that is " + ", ".join(Status) + "."
    return _with(
        command,
        click.option(
            "--status", "statuses", metavar="STATUS", multiple=True, callback=_statuses, help=status
        ),
        click.option("--route", "routes", metavar="NAME", multiple=True, help="With a delivery on it."),
    )


def _with(command: F, *options: Callable[[F], F]) -> F:
    for option in reversed(options):
        command = option(command)
    return command


def selection(
    store: Store,
    since: int | None = None,
    until: int | None = None,
    numbers: tuple[int, ...] = (),
    **chosen: Unpack[Chosen],
) -> Selection:
    """What the options ask for. Raises click.UsageError for an unknown source and for a contradiction."""
    if chosen["events"] and chosen["types"] and "track" not in chosen["types"]:
        raise click.UsageError("--event names track events: add --type track, or leave --type out")
    if chosen["sources"]:
        known_sources(store, chosen["sources"])
    return Selection(since_ms=since, until_ms=until, numbers=numbers, **chosen)
