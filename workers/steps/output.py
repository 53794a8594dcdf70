"""How large an output may be, and what it looks like once it was stored."""

from receiver.core import exact_json
from workers.outcome import Dead, Done

MAX_OUTPUT = 32_000
"""Bytes of a step's output as JSON: it is stored while the delivery waits for a retry."""


def kept(output: object, what: str, advice: str = "") -> Done | Dead:
    """The output as it looks after it was stored, so that a resumed attempt sees the same as the first one.
    `what` says whose it is: `the handler's output`; `advice` what to do about one that is too large."""
    if output is None:
        return Done()
    try:
        text = exact_json.dumps(output)
    except ValueError as error:
        return Dead("output_not_json", f"{what} cannot be said in JSON: {error}")
    if len(text) > MAX_OUTPUT:
        return Dead("output_too_large", f"{what} has {len(text):,} bytes, {MAX_OUTPUT:,} are kept{advice}")
    return Done(exact_json.loads(text))
