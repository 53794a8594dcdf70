"""`hookyard refused`: what receivers did not take lately, and why; nothing of it is stored."""

import click

from receiver.cli.console import print_json
from receiver.cli.listing import print_list
from receiver.cli.lookup import open_store
from receiver.cli.times import age, short
from receiver.core import refusals
from receiver.core.clock import SYSTEM, iso
from receiver.core.refusals import Refusal
from receiver.core.units import human_bytes

COLUMNS = ("UTC", "ago", "source", "code", "times", "size", "sample")


@click.command()
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line.")
def refused(as_lines: bool) -> None:
    """Show what was not taken lately, and why.

    Newest first, 200 at most; docs/errors.md says what each code means. Of one source and code there is one
    line in 10 seconds, with how often it happened and the beginning of the last one. What nobody knows the
    sender of, such as a body whose signature is wrong, is shown by its size only.
    """
    with open_store() as store:
        found = refusals.recent(store.redis)
    if as_lines:
        for one in found:
            print_json(_as_json(one))
    elif found:
        rows = [_row(one, SYSTEM.now_ms()) for one in found]
        print_list(COLUMNS, rows, flexible=("sample",), right=("times", "size"))
    else:
        click.echo("Nothing was refused.")


def _row(one: Refusal, now_ms: int) -> tuple[object, ...]:
    when, ago = short(one.at_ms, now_ms), age(one.at_ms, now_ms)
    size = human_bytes(one.size) if one.size else ""
    return (when, ago, one.source, one.code, one.count, size, one.sample)


def _as_json(one: Refusal) -> dict[str, object]:
    return {
        "at": iso(one.at_ms),
        "source": one.source,
        "code": one.code,
        "count": one.count,
        "size": one.size,
        "sample": one.sample,
    }
