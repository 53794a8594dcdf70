"""`hookyard fql`: tries a condition, with no store and no routes."""

from collections.abc import Iterator
from typing import IO, Any

import click
import msgspec

from receiver.cli.console import console, plain, print_json, table
from receiver.cli.fql_option import compiled, described
from receiver.cli.message_files import bodies
from receiver.cli.views import brief
from receiver.core import envelope, exact_json, json_text
from receiver.core.content import Content
from receiver.core.errors import MalformedMessage
from receiver.core.exact_json import NotJson
from receiver.core.fql import FqlError, Judged, Predicate, compile_fql

LIMIT = 20


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the file."""

    number: int
    """Counted from 1."""
    title: str
    matched: bool
    because: str
    """What is not true of it."""
    conditions: list[dict[str, Any]]


@click.command()
@click.argument("statement", metavar="EXPR")
@click.argument("file", required=False, type=click.File("rb"))
@click.option(
    "--limit", type=click.IntRange(1, 1_000_000), default=LIMIT, show_default=True, help="Most to show."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a message; without FILE, one in all.")
def fql(statement: str, file: IO[bytes] | None, limit: int, as_json: bool) -> int:
    """Try a condition in FQL on messages of a file.

    FILE holds JSON, one message after the other or in arrays; - is standard input. Without FILE it is only
    said whether EXPR is FQL. Exits with 1 when no message is like that, and with 2 when EXPR is no FQL. The
    language: docs/fql.md.
    """
    if as_json and file is None:
        return _print_statement(statement)
    predicate = compiled(statement)
    if file is None:
        reads = ", ".join(sorted(".".join(path) for path in predicate.paths)) or "nothing of the message"
        click.echo(f"This is FQL. It reads {plain(reads)}.")
        return 0
    tried = _try(predicate, file)
    matched = _print_lines(tried) if as_json else _print_table(tried, limit)
    return 0 if matched else 1


def _print_statement(statement: str) -> int:
    """Whether it is FQL, for machines."""
    try:
        predicate = compile_fql(statement)
    except FqlError as error:
        print_json({"ok": False, "position": error.position, "reason": error.reason, "caret": error.caret()})
        return 2
    paths = sorted(list(path) for path in predicate.paths)
    print_json({"ok": True, "reads": paths, "warnings": list(predicate.warnings)})
    return 0


def _try(predicate: Predicate, file: IO[bytes]) -> Iterator[Tried]:
    for number, body in enumerate(_messages(file), 1):
        judged: tuple[Judged, ...] = ()
        matched = False
        try:
            message = Content(json_text.members(body))
            judged, matched = predicate.judge(message), predicate(message)
            against = "; ".join(one.words() for one in judged if not one.held)
        except MalformedMessage:
            against = "it is no object"
        except NotJson as error:
            against = f"it cannot be read: {error}"
        yield Tried(
            number=number,
            title=brief(body).title,
            matched=matched,
            because="" if matched else against,
            conditions=described(judged),
        )


def _messages(file: IO[bytes]) -> Iterator[bytes]:
    """Those of arrays and envelopes one by one, as the receiver takes them apart."""
    for body, _ in bodies(file, file.name):
        try:
            batch = body if json_text.is_array(body) else envelope.batch_of(json_text.members(body))
            yield from [body] if batch is None else map(_unwrapped, json_text.items(batch))
        except MalformedMessage as error:
            raise click.ClickException(f"{file.name}: {error}") from None


def _unwrapped(item: bytes) -> bytes:
    inner = envelope.wrapped_in(json_text.members(item)) if json_text.is_object(item) else None
    return item if inner is None else inner


def _print_lines(tried: Iterator[Tried]) -> int:
    """Each as soon as it is tried; answers how many matched."""
    matched = 0
    for one in tried:
        matched += one.matched
        told = {
            "number": one.number,
            "message": one.title,
            "matched": one.matched,
            "conditions": one.conditions,
        }
        click.echo(exact_json.dumps(told))
    return matched


def _print_table(tried: Iterator[Tried], limit: int) -> int:
    rows: list[tuple[object, ...]] = []
    matched = count = 0
    for one in tried:
        count, matched = one.number, matched + one.matched
        if count <= limit:
            rows.append((count, one.title, "yes" if one.matched else "no", one.because))
    if rows:
        out = console()
        out.print(table(("", "message", "true", "because"), rows, right=("",)))
        out.print()
    said = f"{matched:,} of {count:,} message{'' if count == 1 else 's'}"
    click.echo(f"True of {said}." + (f" Shown are the first {limit}." if count > limit else ""))
    return matched
