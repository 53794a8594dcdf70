"""`python -m benchmarks`: every row of the performance table, each against its baseline in the same run."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from rich.console import Console

from benchmarks.plan import Plan, quick
from benchmarks.processes import PROJECT, BenchmarkFailed
from benchmarks.report import Row, report, show, write
from benchmarks.rows import accept, deliver, filters, isolation, latency, memory, startup

ROWS: dict[str, Callable[[Plan], Iterator[Row]]] = {
    "accept": accept.single,
    "batch": accept.batched,
    "tracking": accept.tracked,
    "fql": filters.fql,
    "filters": filters.filters,
    "deliver": deliver.noop,
    "http": deliver.http,
    "segment": deliver.segment,
    "latency": latency.latency,
    "isolation": isolation.isolation,
    "memory": memory.memory,
    "dev": startup.startup,
}
JSON_FILE = Path(__file__).parent / "results.json"
PAGE = PROJECT / "docs" / "performance.md"


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(ROWS)))
@click.option("--quick", "short", is_flag=True, help="Small counts: shows that all works, not how fast.")
def main(names: tuple[str, ...], short: bool) -> None:
    """Measure all rows, or the NAMES given, and print them with target, ratio, pass or fail.

    A whole run writes benchmarks/results.json and the table of docs/performance.md; a quick or partial one
    only prints. Exit code 1 when a goal is missed or a row could not be measured.
    """
    console = Console()
    say = Console(stderr=True, highlight=False).print
    plan = quick(say) if short else Plan(say=say)
    rows, broken = [], False
    for name in names or ROWS:
        try:
            rows += list(ROWS[name](plan))
        except BenchmarkFailed as error:
            broken = True
            say(f"{name}: {error}", style="red", markup=False)
    show(console, rows)
    if not (names or short or broken):
        write(report("make bench", rows), JSON_FILE, PAGE)
        say(f"written to {JSON_FILE.relative_to(PROJECT)} and {PAGE.relative_to(PROJECT)}")
    sys.exit(0 if not broken and all(item.passed for item in rows) else 1)


if __name__ == "__main__":
    main()
