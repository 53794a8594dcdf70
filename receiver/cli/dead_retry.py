"""`hookyard dead retry`: another round of attempts for dead letters that deserve it."""

from collections.abc import Iterator

import click

from receiver.cli.console import plain, print_json
from receiver.cli.dead_choice import agreed, choose, choosing, counted, letters, walked
from receiver.cli.lookup import open_store
from receiver.core import dead_letters
from receiver.core.reading import Store


@click.command()
@choosing
def retry(
    everything: bool,
    routes: tuple[str, ...],
    codes: tuple[str, ...],
    names: tuple[str, ...],
    yes: bool,
    as_json: bool,
) -> int:
    """Give dead letters a new round of attempts.

    They begin at the step that failed, with the outputs of those before it.
    """
    with open_store() as store:
        choice = choose(store, everything, routes, codes, names)
        question = "Give {} a new round of attempts?"
        if not agreed(counted(store, choice), "retried", question, yes=yes):
            return 1
        if choice.named is None:
            done = walked(store, choice, "Retrying", dead_letters.redrive(store, choice.wanted))
            held = list(_held(store, set(routes)))
        else:
            done = store.redrive(choice.named)
            held = list(_held(store, {one.route for one in choice.named}))
    if as_json:
        print_json({"retried": done, "held": [{"route": name, "reason": why} for name, why in held]})
        return 0
    click.echo(f"{letters(done)} {'has' if done == 1 else 'have'} a new round of attempts.")
    for name, why in held:
        click.echo(f"{plain(name)} is held ({plain(why)}): they wait.", err=True)
    return 0


def _held(store: Store, routes: set[str]) -> Iterator[tuple[str, str]]:
    """Routes whose letters will wait all the same, and why."""
    for state in store.routes():
        if (not routes or state.name in routes) and state.backlog + state.replaying:
            if state.paused:
                yield state.name, f"{state.paused}; hookyard routes resume {state.name}"
            elif not state.queue:
                yield state.name, "no worker serves this route"
