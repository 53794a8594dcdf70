"""The calls of a batch on their way out, each with its outcome, and what becomes of them together."""

import asyncio
from collections.abc import Sequence
from typing import Any

from receiver.core.segment.calls import Encoded, InvalidCall
from workers.outcome import Dead, Done, Outcome, Retry
from workers.sender import Sender


async def send_all(sender: Sender, batch: Sequence[Encoded], message_ids: Sequence[str]) -> Outcome:
    """Send the calls of a batch, each under its id. What failed for now is a reason to send them all again,
    as Segment knows the others by their ids. Raises InvalidCall for what is too large."""
    items = _items(batch, message_ids)
    return _together(await asyncio.gather(*map(sender.send, items)))


def _items(batch: Sequence[Encoded], message_ids: Sequence[str]) -> list[bytes]:
    items, problems = [], []
    for at, (encoded, message_id) in enumerate(zip(batch, message_ids, strict=True)):
        try:
            items.append(encoded.item(message_id))
        except InvalidCall as error:
            problems += [f"batch[{at}]: {problem}" for problem in error.problems]
    if problems:
        raise InvalidCall(problems)
    return items


def _together(outcomes: Sequence[Outcome]) -> Outcome:
    """What became of a batch, whose calls have an outcome each. It was held where all of them were."""
    failed = [(at, one) for at, one in enumerate(outcomes) if not isinstance(one, Done)]
    waits = [one.after_s for _, one in failed if isinstance(one, Retry) and one.after_s is not None]
    held = len(failed) == len(outcomes) and all(isinstance(one, Retry) and one.held for _, one in failed)
    for at, one in failed:
        if isinstance(one, Retry):
            return Retry(one.code, _told(failed, at, one.error), max(waits, default=None), held)
    for at, one in failed:
        if isinstance(one, Dead):
            return Dead(one.code, _told(failed, at, one.error), one.pause_route)
    return Done()


def _told(failed: Sequence[Any], at: int, error: str) -> str:
    more = f" (and {len(failed) - 1} more of the batch failed)" if len(failed) > 1 else ""
    return f"batch[{at}]: {error}{more}"
