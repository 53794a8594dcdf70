"""Lists that people read: one line a row, whatever the width of the terminal."""

from collections.abc import Iterable, Sequence

import click
from rich import box
from rich.cells import cell_len
from rich.table import Table

from receiver.cli.console import console, plain

GAP = 2
"""Blanks between two columns."""
NARROWEST = 8


def one_line_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    width: int,
    flexible: Iterable[str],
    right: Iterable[str] = (),
) -> Table:
    """A table whose `flexible` columns give way, the widest first, so that no row takes a second line.

    Columns named in `right` hold numbers.
    """
    cells = [[plain(cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(columns, *cells, strict=True)]
    _fit(widths, [columns.index(name) for name in flexible], width - GAP * (len(columns) - 1))
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, GAP - 1, 0, 0))
    numbers = set(right)
    for name, wide in zip(columns, widths, strict=True):
        made.add_column(
            name,
            justify="right" if name in numbers else "left",
            width=wide,
            no_wrap=True,
            overflow="ellipsis",
        )
    for row in cells:
        made.add_row(*row)
    return made


def print_list(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    flexible: Iterable[str],
    right: Iterable[str] = (),
) -> None:
    """A `one_line_table` as wide as the terminal."""
    out = console()
    out.print(one_line_table(columns, rows, width=out.width, flexible=flexible, right=right))


def _fit(widths: list[int], flexible: Sequence[int], room: int) -> None:
    """Take from the widest flexible columns what is too much."""
    while sum(widths) > room:
        widest = max(flexible, key=lambda at: widths[at])
        if widths[widest] <= NARROWEST:
            return
        widths[widest] -= 1


def tell_more(limit: int) -> None:
    """That a list was cut; not among the rows, which a program may read."""
    click.echo(f"There are more: --limit {limit * 5} shows more of them.", err=True)
