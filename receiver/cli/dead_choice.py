"""Which dead letters a command means, and whether a person really means it."""

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

import click

from receiver.cli.console import progress
from receiver.cli.lookup import known_routes, messages_named
from receiver.core import dead_letters
from receiver.core.clock import SYSTEM
from receiver.core.dead_letters import Wanted
from receiver.core.message import Delivery, Status
from receiver.core.reading import Store

Command = TypeVar("Command", bound=Callable[..., Any])
_OPTIONS = (
    click.option("--all", "everything", is_flag=True, help="All dead letters."),
    click.option("--route", "routes", metavar="NAME", multiple=True, help="Those of this route."),
    click.option("--code", "codes", metavar="CODE", multiple=True, help="Those with this reason."),
    click.option("--id", "names", metavar="ID", multiple=True, help="Those of this message."),
    click.option("--yes", is_flag=True, help="Do not ask."),
    click.option("--json", "as_json", is_flag=True, help="The count as one JSON object."),
)


class Choice(NamedTuple):
    """Dead letters as somebody named them: those of some messages, one by one, or all that are `wanted`."""

    wanted: Wanted
    named: list[Delivery] | None = None


def choosing(command: Command) -> Command:
    """Gives a command the options that name dead letters."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def choose(
    store: Store, everything: bool, routes: tuple[str, ...], codes: tuple[str, ...], names: tuple[str, ...]
) -> Choice:
    """What the options name. Raises click.UsageError where they name nothing, and NotFound."""
    if everything == bool(routes or codes or names):
        raise click.UsageError("say which: --all, or any of --route, --code and --id")
    known_routes(store, routes)
    wanted = Wanted(routes=routes, codes=codes, until_ms=SYSTEM.now_ms())
    return Choice(wanted, list(_of_messages(store, wanted, names)) if names else None)


def counted(store: Store, choice: Choice) -> int:
    """How many there are."""
    wanted = choice.wanted
    if choice.named is not None:
        return len(choice.named)
    counts = dead_letters.count(store, wanted.routes)
    if not wanted.codes:
        return sum(counts.values())
    with progress() as bar:
        found = dead_letters.letters(store, Wanted(routes=wanted.routes, until_ms=wanted.until_ms))
        tracked = bar.track(found, total=sum(counts.values()), description="Counting")
        return sum(wanted.takes(letter) for letter in tracked)


def agreed(count: int, verb: str, question: str, *, yes: bool) -> bool:
    """Asks, unless there is nothing to ask or nobody to answer. `verb`: what would happen to them."""
    if yes or count == 0:
        return True
    if not sys.stdin.isatty():
        raise click.UsageError(f"{letters(count)} would be {verb}: add --yes")
    return click.confirm(question.format(letters(count)), err=True)


def walked(store: Store, choice: Choice, doing: str, pages: Iterable[tuple[int, int]]) -> int:
    """Carry out, page by page, under a progress bar; counts those it was done to."""
    done = 0
    with progress() as bar:
        task = bar.add_task(doing, total=sum(dead_letters.count(store, choice.wanted.routes).values()))
        for looked, taken in pages:
            done += taken
            bar.advance(task, looked)
    return done


def letters(count: int) -> str:
    return f"{count} dead letter{'' if count == 1 else 's'}"


def _of_messages(store: Store, wanted: Wanted, names: Iterable[str]) -> Iterator[Delivery]:
    numbers = sorted({message.number for name in names for message in messages_named(store, name)})
    for mine in store.deliveries_of(numbers).values():
        for one in mine:
            if (
                one.status is Status.DEAD
                and (not wanted.routes or one.route in wanted.routes)
                and (not wanted.codes or one.code in wanted.codes)
            ):
                yield one
