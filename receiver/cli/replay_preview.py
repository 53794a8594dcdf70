"""`hookyard replay --dry-run`: counts, samples and the time it would take."""

from collections.abc import Callable

import click

from receiver.cli.console import console, plain, print_json, progress, table
from receiver.cli.project import here
from receiver.cli.times import full
from receiver.cli.views import brief, cut
from receiver.core import units
from receiver.core.clock import SYSTEM
from receiver.core.message import StoredMessage
from receiver.core.reading import Store
from receiver.core.replay_plan import Preview, preview, span
from receiver.core.replays import Plan
from receiver.core.routes_file import load
from receiver.core.today import Today


def show_preview(store: Store, plan: Plan, *, as_json: bool) -> None:
    """Look at everything the plan would look at, with a progress bar, and print what was found."""
    answer = _look(store, plan, _matching(plan))
    seconds = answer.total / plan.rate
    if as_json:
        told = {
            "messages": answer.matched,
            "unrouted": answer.unrouted,
            "deliveries": answer.total,
            "routes": answer.deliveries,
            "rate": plan.rate,
            "seconds": seconds,
            "samples": [message.id for message in answer.samples],
        }
        print_json(told)
        return
    _print(answer, plan, seconds)


def _matching(plan: Plan) -> Callable[[StoredMessage], tuple[str, ...]]:
    """By routes.yaml of now, which is read only where the plan names no routes. Raises ConfigError."""
    if plan.routes:
        return lambda message: ()
    project = here()
    return Today(load(project.settings.routes, project.environ)).routes


def _look(store: Store, plan: Plan, matching: Callable[[StoredMessage], tuple[str, ...]]) -> Preview:
    first, last = span(store, plan)
    answer = Preview()
    with progress() as bar:
        task = bar.add_task("Looking", total=len(plan.selection.numbers) or max(0, last - first + 1))
        for answer in preview(store, plan, matching):
            bar.update(task, completed=answer.looked)
    return answer


def _print(answer: Preview, plan: Plan, seconds: float) -> None:
    out = console()
    messages = f"{answer.matched} message{'' if answer.matched == 1 else 's'} of {answer.looked} looked at"
    out.print(f"Would replay {messages}: {answer.total} deliveries.", soft_wrap=True)
    if answer.unrouted:
        out.print(f"{answer.unrouted} of them match no route today.")
    if answer.deliveries:
        rows = sorted(answer.deliveries.items())
        out.print()
        out.print(table(("route", "deliveries"), rows, right=("deliveries",)))
        out.print(f"\nAt {plan.rate:g} a second: {units.human_seconds(seconds)} at least.")
    if answer.samples:
        now_ms = SYSTEM.now_ms()
        out.print("\nSamples:")
        for message in answer.samples:
            title = cut(brief(message.body).title, 40)
            out.print(plain(f"  {message.id}  {title}  {full(message.received_ms, now_ms)}"), soft_wrap=True)
    click.echo("\nNothing was replayed.")
