"""A route's rate and concurrency with two workers on it: they hold for both together."""

from itertools import accumulate
from pathlib import Path

import pytest

from tests.faults.given import SHOP, two_drains
from tests.support.audit import Audit, Notes
from tests.support.load import Client
from tests.support.stack import Stack

pytestmark = pytest.mark.faults

RATE, MOST, MESSAGES = 40, 3, 120
ROUTES = f"""{SHOP}
routes:
  paced:
    events: [Paced]
    rate_limit: {RATE}/s
    steps: [handler: tests.support.noting:note]
  narrow:
    events: [Narrow]
    concurrency: {MOST}
    steps: [handler: tests.support.noting:note]
"""


def fastest_second(notes: Notes) -> int:
    """Most attempts that began within any second."""
    began = sorted(note.at_ms for note in notes.all() if note.what == "began" and note.route == "paced")
    return max(sum(start <= at < start + 1_000 for at in began) for start in began)


def most_at_once(notes: Notes) -> int:
    steps = [1 if note.what == "began" else -1 for note in notes.all() if note.route == "narrow"]
    return max(accumulate(steps))


def test_two_workers_together_keep_to_a_routes_rate_and_concurrency(tmp_path: Path) -> None:
    with Stack(tmp_path, ROUTES, workers=2) as stack:
        audit = Audit(stack.notes, lambda event: (event.lower(),))
        two_drains(stack)
        with Client(stack, audit) as client:
            for first in range(0, MESSAGES, 20):
                names = [f"-{number}" for number in range(first, first + 20)]
                assert client.post("Paced", *("paced" + name for name in names)) == 200
                assert client.post("Narrow", *("narrow" + name for name in names), wait=0.03) == 200
        audit.settle(stack.store)
        assert len({note.pid for note in stack.notes.all()}) == 2, "both had some"
        assert most_at_once(stack.notes) == MOST
        # A tenth of a second's worth may go at once, and handlers begin a moment later or sooner.
        assert RATE * 0.7 <= fastest_second(stack.notes) <= RATE * 1.1 + 5
