"""What the fault tests share: the routes most of them use, and waiting for traffic."""

from collections.abc import Iterable

from receiver.core import duty, keys, scripts
from receiver.core.clock import SYSTEM
from receiver.core.store import Reserved
from tests.support.audit import Audit
from tests.support.load import Client
from tests.support.processes import alive, until
from tests.support.stack import Stack

SHOP = """
sources:
  shop:
    verify: {scheme: segment, secret_env: SHOP_SECRET}
"""
ROUTES = f"""{SHOP}
routes:
  async:
    events: [Load]
    retry: [100ms, 200ms]
    steps:
      - handler: tests.support.noting:note
  threads:
    events: [Load]
    retry: [100ms, 200ms]
    steps:
      - handler: tests.support.noting:note_in_thread
  probe:
    events: [Probe]
    steps:
      - handler: tests.support.noting:note
  failing:
    events: [Failing]
    retry: [100ms, 200ms, 400ms]
    steps:
      - handler: tests.support.noting:note
"""


def due(event: str) -> Iterable[str]:
    """The routes of ROUTES that take an event."""
    return {"Load": ("async", "threads"), "Probe": ("probe",), "Failing": ("failing",)}[event]


def flowing(audit: Audit, more: int = 100) -> None:
    """Wait until so many more messages were answered 200."""
    already = len(audit)
    until(lambda: len(audit) >= already + more, 20, what="messages answered 200")


def served_again(stack: Stack, audit: Audit, seconds: float) -> float:
    """Seconds until a message sent from now on was accepted and reached the handler of a route of its own."""
    began, turn = SYSTEM.monotonic(), 0

    def name() -> str:
        return f"probe-{began}-{turn}"

    with Client(stack, audit) as client:

        def answered() -> bool:
            nonlocal turn
            turn += 1
            return client.post("Probe", name()) == 200

        until(answered, seconds, what="a 200")
    until(lambda: stack.notes.done("probe")[name()] >= 1, seconds, what="the message to be worked")
    took = SYSTEM.monotonic() - began
    print(f"served again after {took:.1f} s")
    return took


def wait_for_end(*pids: int) -> None:
    """Wait until these processes are gone."""
    until(lambda: not any(alive(pid) for pid in pids), 30, what=f"the end of {pids}")


def the_horse(stack: Stack) -> int:
    """The one work horse of the default queue, once it is there."""
    until(lambda: len(stack.horses()) == 1, 15, what="a work horse")
    return stack.horses()[0]


def two_drains(stack: Stack) -> None:
    """Until two live ones are on duty for the default queue, which has one by itself."""
    client = stack.store.redis

    def both() -> bool:
        pids = [int(client.hget(keys.key("DRAIN", drain), "pid") or 0) for drain in stack.drains()]
        if sum(pid > 0 and alive(pid) for pid in pids) == 2:
            return True
        if client.zcard(keys.key("DUTY", "default")) < 2:
            made = scripts.run_now(client, duty.reserve("default", now_ms=SYSTEM.now_ms()))
            assert made.drain is not None
            stack.store.jobs.enqueue([Reserved("default", made.drain)])
        return False

    until(both, 30, what="two drains")
