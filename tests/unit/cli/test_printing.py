"""What reaches the terminal: harmless, readable, 80 columns."""

import io
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from receiver.cli.console import plain, table
from receiver.cli.screen import Screen, readable


def printed(thing: object) -> str:
    out = io.StringIO()
    Console(file=out, width=80, markup=False).print(thing)
    return out.getvalue()


def test_escape_sequences_of_a_sender_are_shown_not_obeyed() -> None:
    assert plain("\x1b[2Jevil\u202e\r\n") == "\\x1b[2Jevil\\u202e\\r\\n"
    assert "\x1b" not in printed(table(["event"], [["\x1b]0;title\x07"]]))


@given(st.text(st.characters(exclude_categories=())))
def test_anything_can_be_printed(text: str) -> None:
    assert not {unicodedata.category(letter) for letter in plain(text)} & {"Cc", "Cs"}
    printed(table(["a"], [[text]]))


def test_markup_in_data_is_data() -> None:
    assert "[bold]x[/]" in printed(table(["a"], [["[bold]x[/]"]]))


def test_tables_fold_into_80_columns() -> None:
    text = printed(table(["a", "b"], [["x" * 200, "y" * 50]]))
    assert max(len(line) for line in text.splitlines()) <= 80
    assert text.count("x") == 200


@pytest.mark.parametrize(
    ("line", "text", "style"),
    [
        ("plain text", "plain text", ""),
        ('{"message": "up", "level": "info", "time": "t", "logger": "l", "port": 1}', "up port=1", ""),
        ('{"message": "bad", "level": "error"}', "error: bad", "red"),
        ('{"no": "message"}', '{"no": "message"}', ""),
        ("[1]", "[1]", ""),
        ('{"message": "a\\u001b[2J", "level": "info"}', "a\\x1b[2J", ""),
    ],
)
def test_log_lines_are_readable(line: str, text: str, style: str) -> None:
    made = readable(line)
    assert made.plain == text
    assert {str(span.style) for span in made.spans} - {"dim"} == ({style} - {""})


def test_a_traceback_keeps_its_lines() -> None:
    text = readable(json.dumps({"message": "m", "level": "error", "traceback": "one\n  two"})).plain
    assert [row.strip(" │") for row in text.splitlines()] == ["error: m", "one", "two"]


def test_lines_of_children_carry_their_name_and_are_never_cut() -> None:
    out = io.StringIO()
    Screen(Console(file=out, width=40)).line("workers", "x" * 100)
    assert out.getvalue() == f" workers │ {'x' * 100}\n"
