"""What the tests of Segment's JavaScript libraries share: the routes, and what must come of each message."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from receiver.core.message import StoredMessage
from tests.support.audit import open_work
from tests.support.processes import until
from tests.support.stack import Stack
from tests.support.unreliable import Unreliable

KEY = "the-write-key"
ENVIRON = {"WEB_WRITE_KEY": KEY}
ROUTES = """
sources:
  web: {write_key_env: WEB_WRITE_KEY}
routes:
  browser:
    channels: [browser]
    steps: [{handler: tests.support.noting:note}]
  server:
    channels: [server]
    steps: [{handler: tests.support.noting:note}]
  others:
    channels: [mobile, unknown]
    steps: [{handler: tests.support.noting:note}]
"""
BATCHES = {"/v1/batch", "/v1/b"}
CLOCK_ERROR_S = 10
"""How far sender and receiver are apart, who share one clock: how long a call may take."""


class Arrivals:
    """What has arrived since it was made: of one library, by one proxy."""

    def __init__(self, stack: Stack, proxy: Unreliable) -> None:
        self._stack, self._proxy = stack, proxy
        self._before = stack.store.last_number()

    def stored(self) -> list[StoredMessage]:
        """The messages, oldest first."""
        last = self._stack.store.last_number()
        return list(self._stack.store.messages(range(self._before + 1, last + 1)))

    def bodies(self) -> list[Any]:
        """The same as JSON."""
        return [json.loads(message.body) for message in self.stored()]

    def wait_for(self, count: int) -> None:
        """Wait until so many messages are stored."""
        until(lambda: len(self.stored()) >= count, 30, what=f"{count} messages")

    def assert_once(self, channel: Literal["browser", "server"], count: int) -> None:
        """So many messages are stored, each once and complete, and reached its channel's route, once."""
        # What is stored is seen before the proxy has handed on that it is.
        until(lambda: len(self._sent()) >= count, what=f"{count} messages answered 200")
        stored = {body["messageId"]: body for body in self.bodies()}
        sent = self._sent()
        assert len(self.stored()) == len(sent) == count
        for message_id, message in sent.items():
            assert_complete(stored[message_id], message, channel)
        until(lambda: not open_work(self._stack.store), what="all deliveries")
        everywhere, there = self._stack.notes.done(), self._stack.notes.done(channel)
        assert {name: (there[name], everywhere[name]) for name in sent} == dict.fromkeys(sent, (1, 1))

    def _sent(self) -> dict[str, Any]:
        """messageId → the message as it stood in the first request with it that was taken."""
        found: dict[str, Any] = {}
        for request in self._proxy.seen:
            if request.method != "POST" or request.reached != 200:
                continue
            body = json.loads(request.body)
            shared = {"sentAt": body["sentAt"]}
            for message in body["batch"] if request.path in BATCHES else [body]:
                found.setdefault(message["messageId"], {**message, **shared})
        return found


def assert_complete(stored: Mapping[str, Any], sent: Mapping[str, Any], channel: str) -> None:
    """Kept is what was sent, less the key, with the fields that Segment's servers add."""
    expected = {**sent, "originalTimestamp": sent["timestamp"], "channel": "server"}
    if channel == "browser":
        expected |= {"channel": "client", "context": {**sent["context"], "ip": "127.0.0.1"}}
    expected.pop("writeKey", None)
    ours = {name: stored[name] for name in ("receivedAt", "timestamp")}
    assert stored == expected | ours
    moments = [datetime.fromisoformat(stored[name]).timestamp() for name in (*ours, "sentAt")]
    assert max(moments) - min(moments) < CLOCK_ERROR_S


def says(stored: Any, said: Any) -> bool:
    """Whether all that a call said stands in the message; libraries add fields of their own."""
    if isinstance(said, dict):
        return isinstance(stored, dict) and all(
            name in stored and says(stored[name], value) for name, value in said.items()
        )
    return bool(stored == said)
