"""Order, with two workers on the route, retries in between and processes killed with -9."""

import signal
from collections import defaultdict
from pathlib import Path

import pytest

from receiver.core import keys
from tests.faults.given import SHOP, two_drains
from tests.support.audit import Audit, Notes
from tests.support.load import Client
from tests.support.stack import Stack, signal_process

pytestmark = pytest.mark.faults

KEYS, EACH = 12, 25
ROUTES = f"""{SHOP}
routes:
  ordered:
    events: [Ordered]
    order_by: properties.key
    concurrency: 8
    retry: [50ms, 100ms, 200ms]
    steps:
      - handler: tests.support.noting:note
"""


def assert_in_order(notes: Notes) -> None:
    """A message of a key never begins before the one before it was done, and both workers had some."""
    done: set[str] = set()
    last: dict[str, int] = defaultdict(int)
    for note in notes.all():
        key, _, number = note.message_id.rpartition("-")
        if note.what == "done":
            done.add(note.message_id)
        elif int(number) > last[key]:
            assert int(number) == last[key] + 1, f"{note.message_id} overtook number {last[key] + 1}"
            assert last[key] == 0 or f"{key}-{last[key]}" in done, f"{note.message_id} began too early"
            last[key] = int(number)
    assert set(last.values()) == {EACH}
    assert len({note.pid for note in notes.all()}) >= 2


def test_the_messages_of_a_key_are_worked_in_order_whoever_dies(tmp_path: Path) -> None:
    with Stack(tmp_path, ROUTES, workers=2) as stack:
        audit = Audit(stack.notes, lambda _: ("ordered",))
        two_drains(stack)
        with Client(stack, audit) as client:
            for number in range(1, EACH + 1):
                for key in range(KEYS):
                    fail = 1 if (number + key) % 5 == 0 else 0
                    name = f"key{key}-{number}"
                    assert client.post("Ordered", name, key=key, fail=fail, wait=0.02) == 200
                if number % 8 == 0:
                    signal_process(stack.horses()[number % 2], signal.SIGKILL)
                    two_drains(stack)
        balance = audit.settle(stack.store, 60)
        assert not balance.dead
        assert_in_order(stack.notes)
        (route,) = stack.store.route_numbers().values()
        families = ("ORDER", "TURNS", "PARKED")
        assert not stack.store.redis.exists(*(keys.key(family, route) for family in families))
