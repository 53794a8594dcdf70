"""A destination that dies and comes back: what waits is held meanwhile, and all of it arrives."""

from pathlib import Path

import pytest

from receiver.core.message import Status
from tests.faults.given import SHOP
from tests.support.audit import Audit
from tests.support.destination import Answer, Destination
from tests.support.load import Client
from tests.support.processes import until
from tests.support.stack import Stack

pytestmark = pytest.mark.faults

MESSAGES = 200


def routes(url: str) -> str:
    return f"""{SHOP}
routes:
  posts:
    events: [Posted]
    concurrency: 8
    retry: [1s, 1s, 1s, 1s]
    steps:
      - http: {{url: "{url}/", allow_private: true}}
  beside:
    events: [Beside]
    steps: [handler: tests.support.noting:note]
"""


def test_a_destination_that_fails_for_a_while_costs_few_attempts_and_no_delivery(tmp_path: Path) -> None:
    with Destination() as destination, Stack(tmp_path, routes(destination.url)) as stack:
        destination.always(Answer(status=503))
        audit = Audit(stack.notes, lambda event: ("beside",) if event == "Beside" else ())
        with Client(stack, audit) as client:
            for first in range(0, MESSAGES, 50):
                names = [f"posted-{number}" for number in range(first, first + 50)]
                assert client.post("Posted", *names) == 200
            until(lambda: breaker(stack) == "open", what="the breaker to open")
            assert client.post("Beside", "beside-1") == 200
            until(lambda: stack.notes.done("beside")["beside-1"] == 1, 5, what="the route beside it")
        story = stack.hookyard("routes")
        assert "posts: its circuit breaker opened" in story
        assert "the last with http_503" in story
        assert len(destination.requests) <= 8 + 4, "what is held is not tried"
        destination.always(Answer())
        until(lambda: breaker(stack) == "closed", 40, what="the breaker to close")
        audit.settle(stack.store)
        deliveries = [stack.store.deliveries(number)[0] for number in range(1, MESSAGES + 1)]
        assert {one.status for one in deliveries} == {Status.DELIVERED}
        assert sum(one.attempts for one in deliveries) <= MESSAGES + 8 + 4
        for told in ("2 deliveries at a time", "it works again as before"):
            assert told in stack.supervisor.log.read_text()


def breaker(stack: Stack) -> str:
    return next(state.breaker.state for state in stack.store.routes() if state.name == "posts")
