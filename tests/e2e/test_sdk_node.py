"""@segment/analytics-node, unmodified, pointed at us: each message arrives once, complete, as a server's."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.e2e.tracked import ENVIRON, KEY, ROUTES, Arrivals, says
from tests.support.destination import Answer, Destination
from tests.support.javascript import NODE, SDK, library, needs_libraries, needs_node
from tests.support.processes import until
from tests.support.stack import Stack
from tests.support.unreliable import Fault, Unreliable

pytestmark = [pytest.mark.e2e, needs_node, needs_libraries]

TYPES = ["identify", "track", "page", "screen", "group", "alias"]
ODD = {
    "revenue": 19.99,
    "big": 2**70,
    "name": "Zoë 😀",
    "half": "\ud83d",
    "none": None,
    "list": [1, {"a": []}],
}
CALLS = [
    ("identify", {"userId": "u1", "traits": {"email": "ada@example.com", "odd": ODD}}),
    (
        "track",
        {"userId": "u1", "event": "Order Completed", "properties": ODD, "integrations": {"All": False}},
    ),
    (
        "page",
        {"userId": "u1", "category": "Docs", "name": "Start", "properties": {"url": "https://example.com/"}},
    ),
    ("screen", {"anonymousId": "a1", "name": "Home", "context": {"ip": "198.51.100.7"}}),
    ("group", {"userId": "u1", "groupId": "g1", "traits": {"plan": "gold"}}),
    ("alias", {"userId": "u1", "previousId": "a1"}),
]
TAKES_BYTES = 32 * 1024
"""The largest message that Segment takes."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("node"), ROUTES, environ=ENVIRON) as started:
        yield started


@pytest.fixture
def proxy(stack: Stack) -> Iterator[Unreliable]:
    with Unreliable(stack.url) as started:
        yield started


@pytest.fixture
def arrivals(stack: Stack, proxy: Unreliable) -> Arrivals:
    return Arrivals(stack, proxy)


def tracks(count: int, **properties: Any) -> list[tuple[str, dict[str, Any]]]:
    return [
        (
            "track",
            {"userId": "u2", "event": f"Event {number}", "properties": {"number": number, **properties}},
        )
        for number in range(count)
    ]


class Program:
    """A Node program that makes the calls, shuts the library down and ends."""

    def __init__(self, host: str, calls: Sequence[Any], **settings: Any) -> None:
        library("analytics-node")
        self._process = subprocess.Popen(
            [NODE, str(SDK / "sends.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        # The library's own interval is 10 s; nothing here may arrive only because it is over.
        said = {
            "settings": {"writeKey": KEY, "host": host, "flushInterval": 60_000, **settings},
            "calls": calls,
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(said))
        self._process.stdin.close()
        self._process.stdin = None

    def errors(self) -> list[str]:
        """What the library reported as failed, once the program is at its end."""
        try:
            printed, _ = self._process.communicate(timeout=40)
        finally:
            self._process.kill()
        assert self._process.returncode == 0
        found: list[str] = json.loads(printed)
        return found


def run(host: str, calls: Sequence[Any], **settings: Any) -> list[str]:
    return Program(host, calls, **settings).errors()


def test_every_call_arrives(proxy: Unreliable, arrivals: Arrivals) -> None:
    assert run(proxy.url, CALLS) == []
    arrivals.assert_once("server", len(CALLS))
    stored = arrivals.bodies()
    assert [body["type"] for body in stored] == TYPES
    assert all(says(body, said) for body, (_, said) in zip(stored, CALLS, strict=True))
    assert {body["context"]["library"]["name"] for body in stored} == {"@segment/analytics-node"}
    assert {message.source for message in arrivals.stored()} == {"web"}


def test_many_go_in_batches(proxy: Unreliable, arrivals: Arrivals) -> None:
    assert run(proxy.url, tracks(40)) == []
    arrivals.assert_once("server", 40)
    assert [request.path for request in proxy.seen] == ["/v1/batch"] * 3
    assert sorted(len(json.loads(request.body)["batch"]) for request in proxy.seen) == [10, 15, 15]


def test_one_by_one(proxy: Unreliable, arrivals: Arrivals) -> None:
    assert run(proxy.url, CALLS, flushAt=1) == []
    arrivals.assert_once("server", len(CALLS))
    assert len(proxy.seen) == len(CALLS)


def test_the_largest_batch_of_the_largest_messages(proxy: Unreliable, arrivals: Arrivals) -> None:
    around = 700  # what the library writes around the text
    assert run(proxy.url, tracks(15, text="x" * (TAKES_BYTES - around))) == []
    arrivals.assert_once("server", 15)
    (request,) = proxy.seen
    sizes = [len(json.dumps(item, separators=(",", ":"))) for item in json.loads(request.body)["batch"]]
    assert TAKES_BYTES - around < min(sizes) <= max(sizes) <= TAKES_BYTES


@pytest.mark.parametrize("faults", [["refused", "later"], ["lost"], ["cut"]])
def test_what_failed_is_sent_again_and_arrives_once(
    proxy: Unreliable, arrivals: Arrivals, faults: list[Fault]
) -> None:
    proxy.faults.extend(faults)
    assert run(proxy.url, CALLS) == []
    arrivals.assert_once("server", len(CALLS))
    assert len(proxy.seen) == len(faults) + 1
    taken_twice = int(faults[0] in ("lost", "cut"))
    assert {message.repeats for message in arrivals.stored()} == {taken_twice}


def test_nothing_is_lost_while_redis_is_away(stack: Stack, proxy: Unreliable, arrivals: Arrivals) -> None:
    """The receiver's own 503, with its own Retry-After."""
    stack.valkey.kill()
    program = Program(proxy.url, tracks(20))
    until(lambda: any(request.reached == 503 for request in proxy.seen), what="a 503")
    stack.valkey.start()
    assert program.errors() == []
    arrivals.assert_once("server", 20)


def test_a_bearer_token_and_the_key_in_the_body(proxy: Unreliable, arrivals: Arrivals) -> None:
    token = {"access_token": "the-token", "expires_in": 3600, "token_type": "Bearer"}
    with Destination(otherwise=Answer(body=json.dumps(token).encode())) as authority:
        oauth = {"clientId": "app", "keyId": "1", "authServer": authority.url}
        assert run(proxy.url, CALLS, oauthSettings=oauth) == []
        assert [request.path for request in authority.requests] == ["/token"]
    arrivals.assert_once("server", len(CALLS))
    assert {request.headers["authorization"] for request in proxy.seen} == {"Bearer the-token"}


def test_a_wrong_key_is_said_and_not_tried_again(proxy: Unreliable, arrivals: Arrivals) -> None:
    assert run(proxy.url, CALLS, writeKey="wrong") == ["delivery_failure: Error: [400] Bad Request"] * len(
        CALLS
    )
    assert len(proxy.seen) == 1
    assert arrivals.stored() == []
