"""Statements in FQL on the command line: what is wrong with one is said before anything is looked at."""

from collections.abc import Iterable
from textwrap import indent
from typing import Any

import click

from receiver.core.fql import FqlError, Judged, Predicate, compile_fql

MARGIN = "    "
"""What stands before a statement that is shown with a caret."""


def compiled(statement: str) -> Predicate:
    """Says on stderr what is probably not meant. Raises click.UsageError where it is no FQL."""
    try:
        predicate = compile_fql(statement)
    except FqlError as error:
        raise click.UsageError(f"{error}\n{indent(error.caret(), MARGIN)}") from None
    for warning in predicate.warnings:
        click.echo(f"warning: {warning}", err=True)
    return predicate


def described(judged: Iterable[Judged]) -> list[dict[str, Any]]:
    """How a message fared with each condition, for machines."""
    return [{"condition": one.text, "true": one.held, "saw": dict(one.saw)} for one in judged]


def _checked(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    return None if value is None else compiled(value).text


where_option = click.option(
    "--where", metavar="FQL", callback=_checked, help="Condition such as properties.revenue > 100."
)
