"""A goal passes only when it is reached, and a written page keeps its own words."""

import json
from pathlib import Path

from benchmarks.load import percentile
from benchmarks.report import BEGIN, END, at_least, at_least_ratio, at_most, at_most_ratio, report, row, write


def test_goals() -> None:
    assert at_least(8000, 8000, "messages/s").passed
    assert not at_least(7999, 8000, "messages/s").passed
    assert at_most(5, 5, "ms").passed
    assert not at_most(5.1, 5, "ms").passed


def test_a_ratio_is_taken_of_the_median() -> None:
    goal = at_least_ratio(50.0, 0.5, "bare", [1.0, 100.0, 1000.0])
    assert (goal.baseline, goal.ratio, goal.passed) == (100.0, 0.5, True)
    assert not at_least_ratio(49.0, 0.5, "bare", [100.0]).passed


def test_a_bound_is_a_multiple_of_the_median() -> None:
    goal = at_most_ratio(400.0, 4, "bare", [1.0, 100.0, 1000.0])
    assert (goal.baseline, goal.ratio, goal.passed) == (100.0, 4.0, True)
    assert not at_most_ratio(401.0, 4, "bare", [100.0]).passed


def test_percentiles() -> None:
    values = [float(number) for number in range(100, 0, -1)]
    assert (percentile(values, 0.5), percentile(values, 0.99), percentile([], 0.5)) == (51.0, 100.0, 0.0)


def test_writing_replaces_only_what_stands_between_the_marks(tmp_path: Path) -> None:
    page, results = tmp_path / "page.md", tmp_path / "results.json"
    page.write_text(f"# Before\n{BEGIN}\nold table\n{END}\nafter\n")
    rows = [row("x", "accept", "messages/s", [1.0, 3.0, 2.0], [at_least(2.0, 1, "messages/s")])]
    write(report("make bench", rows), results, page)
    text = page.read_text()
    assert text.startswith(f"# Before\n{BEGIN}\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "| accept | 2 messages/s |" in text
    assert "old table" not in text
    assert json.loads(results.read_bytes())["rows"][0]["value"] == 2.0
