"""Hookyards that send to each other, and one that sends to itself: the circle is cut, and says so."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from receiver.core.message import Status
from tests.faults.given import SHOP
from tests.support.audit import open_work
from tests.support.processes import until
from tests.support.sender import Sender
from tests.support.stack import SECRET, Stack

pytestmark = pytest.mark.e2e

ROUTES = """{shop}
  web: {{write_key_env: WEB_KEY}}
connections:
  on: {{write_key_env: WEB_KEY, max_hops: {max_hops}, region: {{tracking: "{url}"}}}}
routes:
  on:
    types: [track]
    steps:
      - segment: {{connection: on, call: track, userId: "{{{{ userId }}}}", event: "{{{{ event }}}}",
                   properties: "{{{{ properties }}}}"}}
  note:
    types: [track]
    steps: [{{handler: tests.support.noting:note}}]
"""
PROPERTIES = {
    "revenue": 12.5,
    "currency": "EUR",
    "text": "äöü €",
    "big": 12345678901234567890,
    "list": [1, {"a": None}],
}
SEEN = {"type": "track", "event": "Seen", "messageId": "m-1", "userId": "u-1", "properties": PROPERTIES}


def a_stack(folder: Path) -> Stack:
    """Its routes.yaml is written once the ports are known."""
    folder.mkdir(exist_ok=True)
    return Stack(folder, "", environ={"WEB_KEY": "web-write-key"})


def sends_to(folder: Path, url: str, *, max_hops: int = 1) -> None:
    (folder / "routes.yaml").write_text(ROUTES.format(shop=SHOP, url=url, max_hops=max_hops))


def send(stack: Stack) -> None:
    with Sender(f"{stack.url}/hooks/shop", SECRET) as sender:
        assert sender.send(json.dumps(SEEN).encode()).status == 200


def stored(stack: Stack, number: int) -> dict[str, Any]:
    (message,) = stack.store.messages([number])
    body: dict[str, Any] = json.loads(message.body)
    return body


def outcome(stack: Stack, number: int, route: str = "on") -> tuple[Status, str]:
    one = {each.route: each for each in stack.store.deliveries(number)}[route]
    return one.status, one.history[-1].code if one.history else "ok"


def test_one_that_sends_to_itself_stops_after_a_hop(tmp_path: Path) -> None:
    stack = a_stack(tmp_path)
    sends_to(tmp_path, stack.url)
    with stack:
        send(stack)
        until(lambda: stack.store.last_number() == 2, what="the message to come back")
        until(lambda: not open_work(stack.store), what="all deliveries")
        assert stack.store.last_number() == 2
        assert outcome(stack, 1) == (Status.DELIVERED, "ok")
        assert outcome(stack, 2) == (Status.DROPPED, "segment_loop")
        assert stored(stack, 2)["context"]["hookyard"] == {"hops": 1}
        assert sum(stack.notes.done("note").values()) == 2, "what comes back runs its other routes"
        assert "max_hops" in stack.hookyard("message", "msg_2")
        with urllib.request.urlopen(f"{stack.url}/metrics", timeout=5) as answer:  # noqa: S310 - http
            assert b'hookyard_segment_loops_total{route="on"} 1.0' in answer.read()


def test_two_that_send_to_each_other_stop_where_they_were_told_to(tmp_path: Path) -> None:
    one, other = a_stack(tmp_path / "one"), a_stack(tmp_path / "other")
    sends_to(tmp_path / "one", other.url)
    sends_to(tmp_path / "other", one.url, max_hops=2)
    with one, other:
        send(one)
        until(lambda: one.store.last_number() == 2, what="the message to come back")
        until(lambda: not open_work(one.store) and not open_work(other.store), what="all deliveries")
        assert (one.store.last_number(), other.store.last_number()) == (2, 1)
        assert outcome(other, 1) == (Status.DELIVERED, "ok")
        assert outcome(one, 2) == (Status.DROPPED, "segment_loop")
        assert stored(other, 1)["properties"] == stored(one, 2)["properties"] == PROPERTIES
        assert stored(one, 2)["context"]["hookyard"] == {"hops": 2}
