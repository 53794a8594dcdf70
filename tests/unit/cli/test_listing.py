"""Lists: one line a row at any width."""

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from receiver.cli.listing import one_line_table

COLUMNS = ("id", "message", "user")


def lines(rows: list[tuple[object, ...]], width: int = 60) -> list[str]:
    out = io.StringIO()
    made = one_line_table(COLUMNS, rows, width=width, flexible=("message", "user"), right=("id",))
    Console(file=out, width=width, markup=False).print(made)
    return out.getvalue().splitlines()


def test_the_widest_column_gives_way_first() -> None:
    *_, row = lines([("msg_1", "Order " * 30, "usr_1001")])
    assert row.startswith("msg_1  Order Order")
    assert row.rstrip().endswith("usr_1001")
    assert "…" in row
    assert len(row) == 60


def test_short_rows_take_no_more_room_than_they_need() -> None:
    head, _, row = lines([("msg_1", "page", "me")])
    assert head.rstrip() == "   id  message  user"
    assert row.rstrip() == "msg_1  page     me"


@given(st.lists(st.tuples(st.just("msg_1"), st.text(), st.text()), min_size=1, max_size=5))
def test_one_line_a_row_whatever_the_text(rows: list[tuple[object, ...]]) -> None:
    found = lines(rows)
    assert len(found) == 2 + len(rows)
    assert all(cell_len(line) <= 60 for line in found)
    assert all("msg_1" in line for line in found[2:])
