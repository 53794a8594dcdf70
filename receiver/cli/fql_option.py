"""Statements in FQL on the command line: what is wrong with one is said before the store is asked."""

from textwrap import indent

import click

from receiver.core.fql import FqlError, Predicate, compile_fql

MARGIN = "    "
"""What stands before a statement that is shown with a caret."""


def compiled(statement: str) -> Predicate:
    """Says on stderr what is probably not meant. Raises click.BadParameter where it is no FQL."""
    try:
        predicate = compile_fql(statement)
    except FqlError as error:
        raise click.BadParameter(f"{error}\n{indent(error.caret(), MARGIN)}") from None
    for warning in predicate.warnings:
        click.echo(f"warning: {warning}", err=True)
    return predicate


def _checked(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    return None if value is None else compiled(value).text


where_option = click.option(
    "--where",
    metavar="FQL",
    callback=_checked,
    help="Condition such as properties.revenue > 100.",
)
