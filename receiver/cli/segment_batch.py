"""`hookyard segment batch`: several calls in one request."""

import uuid
from typing import Any

import click

from receiver.cli import bodies, calling
from receiver.cli.project import here
from receiver.core.clock import SYSTEM
from receiver.core.segment import request
from receiver.core.segment.batches import encode_batch
from receiver.core.segment.calls import Encoded, InvalidCall


@click.command()
@calling.connection_option
@click.option(
    "--file",
    metavar="FILE",
    required=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    help="An array, one call a line, or an object with `batch`; - is standard input.",
)
@click.option("--context", metavar="JSON", help="For all calls that do not say otherwise.")
@click.option("--integrations", metavar="JSON", help="For all calls that do not say otherwise.")
@calling.dry_run_option
@calling.json_option
def batch(
    connection: str | None,
    file: str,
    context: str | None,
    integrations: str | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Make several calls in one request.

    Each call holds its `type`, and its fields in Segment's spelling. Segment takes 2,500 of them and 500 kB.
    """
    problems: list[str] = []
    given = {"context": context, "integrations": integrations}
    shared = bodies.objects({name: text for name, text in given.items() if text is not None}, problems)
    try:
        encoded = encode_batch({**_body(bodies.messages(file)), **shared})
    except InvalidCall as error:
        raise bodies.refused([*problems, *error.problems]) from None
    ids = [one.message_id or str(uuid.uuid4()) for one in encoded]
    items = _items(encoded, ids, problems)
    if problems:
        raise bodies.refused(problems)
    by = calling.chosen(here(), connection, "tracking")
    made = request.batch(by, items, sent_at_ms=SYSTEM.now_ms())
    if dry_run:
        calling.show(made, as_json=as_json)
        return 0
    return calling.tell(calling.exchange(made), f"batch of {len(items)}", ids, as_json=as_json)


def _body(messages: list[Any]) -> dict[str, Any]:
    """The body of a batch call; a file may hold it whole."""
    if len(messages) == 1 and isinstance(messages[0], dict) and "batch" in messages[0]:
        return dict(messages[0])
    return {"batch": messages}


def _items(encoded: list[Encoded], ids: list[str], problems: list[str]) -> list[bytes]:
    items: list[bytes] = []
    for at, (one, message_id) in enumerate(zip(encoded, ids, strict=True)):
        try:
            items.append(one.item(message_id))
        except InvalidCall as error:
            problems += [f"batch[{at}]: {problem}" for problem in error.problems]
    size = sum(len(item) + 1 for item in items) + request.ENVELOPE
    if len(items) > request.MAX_ITEMS:
        problems.append(f"batch: holds {len(items):,} calls, Segment takes {request.MAX_ITEMS:,}")
    if size > request.MAX_BATCH:
        problems.append(f"batch: has {size:,} bytes, Segment takes {request.MAX_BATCH:,}")
    return items
