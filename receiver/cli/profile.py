"""`hookyard profile`: what Segment knows of a user or an account, asked by hand."""

import json
from collections.abc import Callable
from typing import Any, get_args

import click

from receiver.cli import calling
from receiver.cli.console import console, plain, print_json, table
from receiver.cli.project import here
from receiver.core import backoff
from receiver.core.clock import SYSTEM
from receiver.core.connections import Connection
from receiver.core.errors import HookError
from receiver.core.segment.profile import (
    PARAMETERS,
    RESOURCES,
    Class,
    Collection,
    Get,
    InvalidLookup,
    Lookup,
    Sort,
)
from receiver.core.segment.profile_talk import Output, ProfileError, Reply, request, talk

HELP: dict[Get, str] = {
    "traits": "Show traits.",
    "properties": "Show traits as a list of keys and values.",
    "external_ids": "Show ids of all types.",
    "events": "Show track events of the last 14 days.",
    "metadata": "Show when a profile was made and changed.",
    "links": "Show the accounts of a user, or the users of an account.",
}
LIMITS = "Most items of one answer; alone it means that one answer."
OPTIONS: dict[str, Callable[..., Any]] = {
    "include": click.option(
        "--include", metavar="NAMES", multiple=True, help="Only these; with commas between, or repeated."
    ),
    "exclude": click.option(
        "--exclude", metavar="NAMES", multiple=True, help="All but these; with commas between, or repeated."
    ),
    "class": click.option("--class", type=click.Choice(get_args(Class)), help="Only traits of this class."),
    "verbose": click.option("--verbose", is_flag=True, help="With the source of each, and when it was set."),
    "sort": click.option("--sort", type=click.Choice(get_args(Sort)), help="Oldest or newest first."),
    "start": click.option("--start", metavar="TIME", help="Since then, ISO 8601."),
    "end": click.option("--end", metavar="TIME", help="Until then, ISO 8601."),
    "limit": click.option("--limit", metavar="N", type=int, help=LIMITS),
    "max_items": click.option("--max-items", metavar="N", type=int, help="Follow pages until so many."),
    "next": click.option("--next", metavar="CURSOR", help="Go on where an earlier answer ended."),
}


class ProfileRefused(HookError):
    """The Profile API did not give what was asked."""

    code = "profile_refused"


def _command(get: Get) -> click.Command:
    """The subcommand of a resource, with an option for each of its parameters."""

    def run(**given: Any) -> int:
        return _run(get, **given)

    options = [
        calling.connection_option,
        click.option("--id", metavar="TYPE:VALUE", required=True, help="Whose, such as user_id:42."),
        click.option(
            "--collection", type=click.Choice(get_args(Collection)), default="users", show_default=True
        ),
        *(OPTIONS[name] for name in PARAMETERS if name in RESOURCES[get].parameters),
        calling.dry_run_option,
        calling.json_option,
    ]
    for option in reversed(options):
        option(run)
    return click.command(get.replace("_", "-"), help=HELP[get])(run)


profile = click.Group(
    "profile",
    help="""Ask Segment's Profile API about a user or an account.

    Needs a connection with profile_token_env and space_id. Exits with 1 when there is no such profile.""",
    commands=[_command(get) for get in get_args(Get)],
)


def _run(
    get: Get,
    connection: str | None,
    id: str,
    collection: Collection,
    dry_run: bool,
    as_json: bool,
    **given: Any,
) -> int:
    values = {
        name: (",".join(value) or None) if isinstance(value, tuple) else value
        for name, value in given.items()
    }
    try:
        lookup = Lookup.of(get, id, values, collection)
    except InvalidLookup as error:
        lines = (f"--{name.replace('_', '-')}: {sentence}" for name, sentence in error.problems)
        raise click.UsageError("\n".join(lines)) from None
    by = calling.chosen(here(), connection, "profile")
    if dry_run:
        calling.show(request(by, next(talk(lookup))), as_json=as_json)
        return 0
    output = _asked(by, lookup)
    if as_json:
        print_json(output)
    elif output["found"]:
        _print(lookup, output)
    if output["found"]:
        return 0
    click.echo(f"No profile in {collection} has the id {plain(id)}.", err=True)
    return 1


def _asked(by: Connection, lookup: Lookup) -> Output:
    """The whole answer, over as many requests as it takes."""
    talking = talk(lookup)
    target = next(talking)
    try:
        while True:
            got = calling.exchange(request(by, target))
            after_s = backoff.parse_retry_after(got.headers.get("retry-after"), SYSTEM.now_ms())
            reply = Reply(
                status=got.status,
                body=got.body,
                truncated=got.truncated,
                retry_after_s=after_s,
                request_id=got.headers.get("request-id", ""),
            )
            target = talking.send(reply)
    except StopIteration as end:
        output: Output = end.value
        return output
    except ProfileError as error:
        later = f"; try again in {error.after_s:.0f} s" if error.after_s else ""
        raise ProfileRefused(f"{plain(error)}{later}") from error


def _print(lookup: Lookup, output: Output) -> None:
    found = output[lookup.get]
    rows = _rows(lookup.get, found)
    if rows:
        console().print(table(COLUMNS[lookup.get], rows))
    else:
        click.echo("The profile has none.")
    if output.get("has_more"):
        click.echo(f"There are more: --next {plain(output['next'])}, or a higher --max-items.", err=True)


COLUMNS: dict[Get, tuple[str, ...]] = {
    "traits": ("trait", "value"),
    "properties": ("key", "value"),
    "external_ids": ("type", "id", "since"),
    "events": ("at", "event", "properties"),
    "metadata": ("name", "value"),
    "links": ("collection", "type", "id"),
}


def _rows(get: Get, found: Any) -> list[tuple[str, ...]]:
    """What `found` holds as lines of a table; --json shows it whole."""
    if isinstance(found, dict):
        return [(name, _shown(value)) for name, value in found.items()]
    items = [item for item in found if isinstance(item, dict)]
    match get:
        case "properties":
            return [(_shown(item.get("key")), _shown(item.get("value"))) for item in items]
        case "external_ids":
            return [tuple(_shown(item.get(name)) for name in ("type", "id", "created_at")) for item in items]
        case "events":
            return [
                tuple(_shown(item.get(name)) for name in ("timestamp", *COLUMNS[get][1:])) for item in items
            ]
    return [
        (_shown(item.get("to_collection")), _shown(id.get("type")), _shown(id.get("id")))
        for item in items
        for id in item.get("external_ids") or ()
        if isinstance(id, dict)
    ]


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
