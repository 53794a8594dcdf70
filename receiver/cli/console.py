"""How commands print: tables that fit the terminal, JSON lines for machines, and nothing a sender can abuse.

Texts that came in with a message may hold escape sequences; `plain` makes them harmless. Markup is off for
the same reason. Colours appear on a terminal only.
"""

import json
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Also what ends a line or turns the direction of writing, and surrogates, which no terminal can be sent."""


def console(*, stderr: bool = False) -> Console:
    """A console on the streams as they are now."""
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False)


def plain(value: object) -> str:
    """The text with everything that a terminal would obey shown as an escape."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), str(value))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Iterable[str] = ()) -> Table:
    """A table of plain texts; columns named in `right` hold numbers. Long cells fold."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    numbers = set(right)
    for column in columns:
        made.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        made.add_row(*(plain(cell) for cell in row))
    return made


def print_json(value: Any) -> None:
    """One line of JSON on stdout."""
    click.echo(json.dumps(value, separators=(",", ":")))


def progress() -> Progress:
    """A progress bar on stderr that shows on a terminal only and leaves nothing behind."""
    on = console(stderr=True)
    parts = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    # Otherwise rich would send what is printed meanwhile to stderr, away from the program that reads stdout.
    share = sys.stdout.isatty()
    return Progress(*parts, console=on, transient=True, disable=not on.is_terminal, redirect_stdout=share)
