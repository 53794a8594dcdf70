"""`hookyard dead drop`: dead letters nobody wants any more."""

import click

from receiver.cli.console import print_json
from receiver.cli.dead_choice import agreed, choose, choosing, counted, letters, walked
from receiver.cli.lookup import open_store
from receiver.core import clearing, dead_letters


@click.command()
@choosing
def drop(
    everything: bool,
    routes: tuple[str, ...],
    codes: tuple[str, ...],
    names: tuple[str, ...],
    yes: bool,
    as_json: bool,
) -> int:
    """Give up dead letters for good.

    Each stays on record as dropped by the operator, with its attempts; the message stays until retention
    takes it, and can be replayed until then.
    """
    with open_store() as store:
        choice = choose(store, everything, routes, codes, names)
        if not agreed(counted(store, choice), "dropped", "Give up {} for good?", yes=yes):
            return 1
        if choice.named is None:
            done = walked(store, choice, "Dropping", dead_letters.drop(store, choice.wanted))
        else:
            done = clearing.drop_dead(store, store.references(choice.named))
    if as_json:
        print_json({"dropped": done})
    else:
        click.echo(f"{letters(done)} dropped.")
    return 0
