"""`hookyard routes move`, killed with -9 in the middle: begun again, it moves the rest, and doubles none."""

import os
import signal
import subprocess
from functools import partial
from typing import cast

import pytest

from receiver.core import keys
from receiver.core.interpreter import OUR_PYTHON
from tests.support.audit import debts
from tests.support.processes import until
from tests.support.stack import REPOSITORY
from tests.support.yard import ORDER, ROUTES, Yard

pytestmark = pytest.mark.faults

MESSAGES = 20_000
MOVE = [*OUR_PYTHON, "receiver.cli", "routes", "move", "orders", "sales", "--yes"]


def test_a_move_that_is_killed(yard: Yard) -> None:
    numbers = [number for _ in range(MESSAGES // 500) for number in yard.accept(*([ORDER] * 500))]
    yard.change(ROUTES.replace("  orders:", "  sales:"))
    old, new = (keys.key("BACKLOG", yard.store.route_numbers()[name]) for name in ("orders", "sales"))
    environ = os.environ | {"HOOKYARD_REDIS_URL": yard.setup.url, "PYTHONPATH": str(REPOSITORY)}
    for turn in range(1, 4):
        with subprocess.Popen(MOVE, env=environ, stdout=subprocess.DEVNULL) as moving:
            until(partial(longer, yard, new, turn * 1000), what="some to be moved")
            moving.send_signal(signal.SIGKILL)
        left = yard.redis.llen(old)
        assert 0 < left < MESSAGES
        assert left + yard.redis.llen(new) == MESSAGES
    assert subprocess.run(MOVE, env=environ, check=False).returncode == 0
    refs = cast("list[bytes]", yard.redis.lrange(new, 0, -1))
    moved = [int(ref.partition(b":")[0]) for ref in refs]
    assert (moved, yard.redis.llen(old)) == (numbers, 0)
    assert debts(yard.store) == MESSAGES


def longer(yard: Yard, key: str, count: int) -> bool:
    return yard.redis.llen(key) > count
