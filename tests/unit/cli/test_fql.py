"""`hookyard fql`: a condition on messages of a file."""

import json
from pathlib import Path
from typing import Any

import pytest

from receiver.cli.main import run

Screen = pytest.CaptureFixture[str]

MESSAGES = """
{"type":"track","event":"Order Completed","properties":{"revenue":120}}
{"type":"track","event":"Order Completed","properties":{"revenue":1e400}}
{"type":"track","event":"Signed Up"}
[{"json":{"type":"page","name":"Home \\ud83d"}},5]
{"batch":[{"type":"track","event":"Order \\u001b[2J"}]}
"""
BIG = "type = 'track' and properties.revenue > 100"


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "messages.jsonl"
    path.write_text(MESSAGES)
    return str(path)


def lines(screen: Screen) -> list[dict[str, Any]]:
    return [json.loads(line) for line in screen.readouterr().out.splitlines()]


def test_each_message_is_shown_with_what_is_not_true_of_it(file: str, screen: Screen) -> None:
    assert run(["fql", BIG, file]) == 0
    shown = screen.readouterr().out
    assert "True of 2 of 6 messages." in shown
    words = " ".join(shown.split())
    assert "1 track Order Completed yes" in words
    assert "3 track Signed Up no properties.revenue > 100 is not true (properties.revenue is null)" in words
    assert "5 (no type) no it is no object" in words
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_machines_get_a_line_for_each(file: str, screen: Screen) -> None:
    assert run(["fql", BIG, file, "--json"]) == 0
    told = lines(screen)
    assert [one["matched"] for one in told] == [True, True, False, False, False, False]
    assert told[3]["conditions"] == [
        {"condition": "type = 'track'", "true": False, "saw": {"type": "page"}},
        {"condition": "properties.revenue > 100", "true": False, "saw": {"properties.revenue": None}},
    ]


def test_only_some_are_shown_and_all_are_counted(file: str, screen: Screen) -> None:
    assert run(["fql", "type = 'track'", file, "--limit", "1"]) == 0
    shown = screen.readouterr().out
    assert "True of 4 of 6 messages. Shown are the first 1." in shown
    assert "Signed Up" not in shown


def test_it_exits_with_1_when_none_is_like_that(file: str, screen: Screen) -> None:
    assert run(["fql", "type = 'group'", file]) == 1
    assert "True of 0 of 6 messages." in screen.readouterr().out
    assert run(["fql", "type = 'group'", file, "--json"]) == 1


def test_without_a_file_it_says_whether_it_is_fql(screen: Screen) -> None:
    assert run(["fql", BIG]) == 0
    assert screen.readouterr().out == "This is FQL. It reads properties.revenue, type.\n"
    assert run(["fql", "type = track"]) == 0
    said = screen.readouterr()
    assert "warning: track is read as a field" in said.err
    assert run(["fql", "true", "--json"]) == 0
    assert lines(screen) == [{"ok": True, "reads": [], "warnings": []}]


def test_what_is_no_fql_is_shown_with_its_place(file: str, screen: Screen) -> None:
    assert run(["fql", "type == 'x'", file]) == 2
    assert (
        "Error: FQL writes = for == (at character 6)\n    type == 'x'\n         ^\n"
        in screen.readouterr().err
    )
    assert run(["fql", "type == 'x'", "--json"]) == 2
    assert lines(screen) == [
        {"ok": False, "position": 5, "reason": "FQL writes = for ==", "caret": "type == 'x'\n     ^"}
    ]


def test_a_file_that_is_no_json_is_said(tmp_path: Path, screen: Screen) -> None:
    path = tmp_path / "broken.json"
    path.write_text('{"type": ')
    assert run(["fql", "true", str(path)]) == 1
    assert "broken.json:1" in screen.readouterr().err


@pytest.fixture
def screen(capsys: Screen) -> Screen:
    return capsys
