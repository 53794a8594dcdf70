"""From a signed request to what every route did with it: real processes, real HTTP, no part replaced."""

import json
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

import pytest

from receiver.core.message import Status
from tests.faults.given import SHOP
from tests.support.audit import open_work
from tests.support.destination import Answer, Destination
from tests.support.processes import until
from tests.support.segment import SINGLE, batch, envelope, wrapped
from tests.support.segment_stand_in import SegmentStandIn
from tests.support.sender import Sender
from tests.support.stack import SECRET, Stack

pytestmark = pytest.mark.e2e

BY_FILTER = """
sources:
  shop:
    verify: {scheme: segment, secret_env: SHOP_SECRET}
  bulk:
    verify: {scheme: segment, secret_env: [NEXT_SECRET, SHOP_SECRET]}
    paths: {array: all, envelope: all, wrapped: [all]}
routes:
  all:
    steps: [{handler: tests.support.noting:exact}]
  orders:
    events: ["Order *"]
    steps: [{handler: tests.support.noting:exact}]
  people:
    types: [identify, group]
    sources: [shop]
    steps: [{handler: tests.support.noting:exact}]
  phones:
    channels: [mobile]
    queue: phones
    steps: [{handler: tests.support.noting:exact}]
"""


def digests(bodies: Iterable[bytes], count: int) -> dict[str, int]:
    """As `noting.exact` notes them, each so many times."""
    return {sha256(body).hexdigest(): count for body in bodies}


def test_every_body_single_and_in_batches(tmp_path: Path) -> None:
    """Kept byte for byte, and delivered to exactly the routes whose conditions hold."""
    parsed = [json.loads(line) for line in SINGLE]
    with Stack(tmp_path, BY_FILTER, environ={"NEXT_SECRET": "another"}) as stack:
        for line in SINGLE:
            with Sender(f"{stack.url}/hooks/shop/", SECRET) as sender:
                answer = sender.send(line)
                assert (answer.status, answer.body) == (200, b'{"success":true}')
        assert stack.store.last_number() == len(SINGLE)
        for path, shape in (("array", batch), ("envelope", envelope), ("wrapped", wrapped)):
            with Sender(f"{stack.url}/hooks/{path}", SECRET) as sender:
                over = None if path == "envelope" else SINGLE[0]
                assert sender.send(shape(*SINGLE), over=over).status == 200
        last = len(SINGLE) * 4
        assert stack.store.last_number() == last
        kept = [message.body for message in stack.store.messages(range(1, last + 1))]
        assert kept == list(SINGLE) * 4

        until(lambda: not open_work(stack.store), what="all deliveries")
        orders = [
            line
            for line, fields in zip(SINGLE, parsed, strict=True)
            if str(fields.get("event")).startswith("Order ")
        ]
        people = [
            line
            for line, fields in zip(SINGLE, parsed, strict=True)
            if fields["type"] in ("identify", "group")
        ]
        phones = SINGLE[18:26]  # Android says `mobile` itself; the iOS ones say `client`, their library tells
        assert len(orders) == 3
        assert stack.notes.done("all") == digests(SINGLE, 4)
        assert stack.notes.done("orders") == digests(orders, 3), "wrapped feeds one route only"
        assert stack.notes.done("people") == digests(people, 1)
        assert stack.notes.done("phones") == digests(phones, 3)


def test_a_repeat_is_answered_200_and_worked_once(tmp_path: Path) -> None:
    with Stack(tmp_path, BY_FILTER, environ={"NEXT_SECRET": "another"}) as stack:
        with Sender(f"{stack.url}/hooks/shop", SECRET) as sender:
            for _ in range(3):
                assert sender.send(SINGLE[8]).status == 200
        until(lambda: not open_work(stack.store), what="all deliveries")
        assert stack.notes.done("all") == digests([SINGLE[8]], 1)
        (message,) = stack.store.messages([1, 2, 3])
        assert message.repeats == 2


STEPS = (
    SHOP
    + """
connections:
  crm:
    write_key_env: WRITE_KEY
    region: {tracking: SEGMENT_URL}
routes:
  forward:
    events: [Order Completed]
    retry: [100ms, 100ms]
    steps:
      - handler: tests.support.noting:note
        as: first
      - http:
          method: POST
          url: HTTP_URL/orders
          headers: {X-Total: "{{ properties.total }}"}
          json: {user: "{{ userId }}", total: "{{ properties.total }}", first: "{{ steps.first }}"}
          allow_private: true
  tell:
    events: [Order Completed]
    retry: [100ms, 100ms]
    steps:
      - segment:
          connection: crm
          call: track
          event: Thanked
          userId: "{{ userId }}"
          properties: {total: "{{ properties.total }}"}
  name:
    types: [identify]
    steps:
      - segment: {connection: crm, call: identify, userId: "{{ userId }}", traits: {plan: gold}}
"""
)
ORDER = json.dumps(
    {
        "type": "track",
        "event": "Order Completed",
        "messageId": "o-1",
        "userId": "u-1",
        "properties": {"total": 12.5},
    }
).encode()
IDENTIFY = json.dumps({"type": "identify", "messageId": "i-1", "userId": "0123", "traits": {}}).encode()


def test_steps_that_call_out_and_resume_where_they_failed(tmp_path: Path) -> None:
    with (
        Destination(Answer(status=500), Answer(status=429)) as http,
        SegmentStandIn(Answer(status=503)) as segment,
    ):
        routes = STEPS.replace("HTTP_URL", http.url).replace("SEGMENT_URL", segment.url)
        with Stack(tmp_path, routes, environ={"WRITE_KEY": "key"}) as stack:
            with Sender(f"{stack.url}/hooks/shop", SECRET) as sender:
                assert sender.send(ORDER).status == 200
                assert sender.send(IDENTIFY).status == 200
            until(lambda: not open_work(stack.store), what="all deliveries")
            deliveries = {one.route: one for one in stack.store.deliveries(1)}
            forward, tell = deliveries["forward"], deliveries["tell"]
        assert [attempt.code for attempt in forward.history] == ["http_500", "http_429", "ok"]
        assert stack.notes.done("forward") == {"o-1": 1}, "the step that was done is not done again"
        assert [seen.json() for seen in http.requests] == [{"user": "u-1", "total": 12.5, "first": None}] * 3
        assert {seen.headers["x-total"] for seen in http.requests} == {"12.5"}
        assert tell.status is Status.DELIVERED
        calls = {(item["type"], item["userId"]): item for item in segment.items}
        assert set(calls) == {("track", "u-1"), ("identify", "0123")}
        assert calls["track", "u-1"]["properties"] == {"total": 12.5}


WORKED = f"""{SHOP}
routes:
  orders:
    events: ["Order *"]
    retry: [100ms]
    steps: [{{handler: tests.support.noting:note}}]
  later:
    events: [Nothing]
    steps: [{{handler: tests.support.noting:note}}]
"""


def test_a_day_with_the_command_line(tmp_path: Path) -> None:
    """Send, look, explain, replay to another route, and get dead letters going again."""
    with Stack(tmp_path, WORKED) as stack:
        orders = [
            {
                "type": "track",
                "event": "Order Paid",
                "messageId": f"o-{n}",
                "userId": "u-1",
                "properties": {"fail": 2 * (n == 2)},
            }
            for n in range(3)
        ]
        (tmp_path / "orders.jsonl").write_text("".join(json.dumps(order) + "\n" for order in orders))
        stack.hookyard("send", "orders.jsonl")
        until(lambda: not open_work(stack.store), what="all deliveries")

        listed = [
            json.loads(line)
            for line in stack.hookyard("messages", "--event", "Order *", "--json").splitlines()
        ]
        assert len(listed) == 3
        assert json.loads(stack.hookyard("message", "o-1", "--raw")) == orders[1]
        assert "later" in stack.hookyard("explain", "o-1")
        (dead,) = [
            json.loads(line) for line in stack.hookyard("dead", "--route", "orders", "--json").splitlines()
        ]
        assert dead["code"] == "handler_retry"

        stack.hookyard(
            "replay",
            "--event",
            "Order *",
            "--route",
            "later",
            "--rate",
            "1000/s",
            "--id",
            "o-0",
            "--id",
            "o-1",
        )
        assert stack.notes.done("later", replay=1) == {"o-0": 1, "o-1": 1}
        assert "done" in stack.hookyard("replays")

        stack.hookyard("dead", "retry", "--all", "--yes")
        until(lambda: stack.notes.done("orders")["o-2"] == 1, what="the dead letter's second life")
        until(lambda: stack.hookyard("dead", "--route", "orders", "--json") == "", what="no dead letter")
