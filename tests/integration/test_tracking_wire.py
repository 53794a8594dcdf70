"""The tracking API over real sockets into a real store: what neither of them shows alone."""

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.receiving import Receiving
from tests.support.sender import Answer, Sender

KEY = "the-write-key"
ROUTES = """
sources:
  both: {verify: {scheme: none}, write_key_env: BOTH_WRITE_KEY}
routes:
  all: {steps: [{handler: "workers.handlers.hello:greet"}]}
"""
MESSAGE = {"userId": "u", "event": "E", "messageId": "m-1", "writeKey": KEY}


@pytest.fixture(scope="module")
def receiving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiving]:
    with Receiving(tmp_path_factory.mktemp("wire"), ROUTES, {"BOTH_WRITE_KEY": KEY}) as started:
        yield started


@pytest.fixture
def sender(receiving: Receiving) -> Iterator[Sender]:
    with Sender(receiving.url) as sender:
        yield sender


def post(sender: Sender, path: str, message: Any, **headers: str) -> Answer:
    return sender.send(json.dumps(message).encode(), path=f"/v1/{path}", headers=headers)


def test_a_call_sent_again_is_one_message_and_a_repeat(receiving: Receiving, sender: Sender) -> None:
    """Though it came without a time, so that each was given another one; and it is found by its id."""
    before = receiving.store.last_number()
    assert [post(sender, path, MESSAGE).status for path in ("track", "t/", "track/")] == [200] * 3
    (first,) = receiving.store.messages([before + 1])
    assert (first.path, first.source, first.repeats) == ("/v1/both", "both", 2)
    assert receiving.store.last_number() == before + 1
    assert receiving.store.find("m-1") == [before + 1]
    assert receiving.store.numbers_of_user("u") == [before + 1]


def test_another_body_under_the_same_id_is_another_message(receiving: Receiving, sender: Sender) -> None:
    before = receiving.store.last_number()
    for event in ("One", "Two"):
        post(sender, "track", {**MESSAGE, "messageId": "m-2", "event": event})
    assert [message.same_id_as for message in receiving.since(before)] == [None, before + 1]


def test_the_same_id_by_a_webhook_is_another_message(receiving: Receiving, sender: Sender) -> None:
    before = receiving.store.last_number()
    message = {**MESSAGE, "messageId": "m-3"}
    post(sender, "track", message)
    assert sender.send(json.dumps(message).encode(), path="/hooks/both").status == 200
    assert [found.path for found in receiving.since(before)] == ["/v1/both", "both"]


@pytest.mark.parametrize(
    ("forwarded", "ip"),
    [
        ({}, "127.0.0.1"),
        ({"x-forwarded-for": "198.51.100.7"}, "198.51.100.7"),
        ({"x-forwarded-for": "203.0.113.9, 198.51.100.7"}, "198.51.100.7"),
        ({"x-forwarded-for": "::ffff:198.51.100.7"}, "198.51.100.7"),
        ({"x-forwarded-for": "2001:db8::1"}, None),
        ({"x-forwarded-for": "odd"}, None),
    ],
)
def test_the_address_is_the_one_that_a_local_proxy_names(
    receiving: Receiving, sender: Sender, forwarded: dict[str, str], ip: str | None
) -> None:
    before = receiving.store.last_number()
    post(sender, "t", {"writeKey": KEY}, **forwarded)
    assert [message["context"].get("ip") for message in receiving.bodies(before)] == [ip]


def test_chunks_without_a_length(receiving: Receiving, sender: Sender) -> None:
    before = receiving.store.last_number()
    whole = json.dumps({"batch": [{"type": "track", "n": n} for n in range(9)], "writeKey": KEY}).encode()
    assert sender.send((whole[at : at + 7] for at in range(0, len(whole), 7)), path="/v1/b").status == 200
    assert [message["n"] for message in receiving.bodies(before)] == list(range(9))


def test_a_large_upload_is_refused_and_the_connection_goes_on(sender: Sender) -> None:
    assert post(sender, "batch", {"pad": "x" * 5_000_000}).code == "payload_too_large"
    assert post(sender, "track", MESSAGE).status == 200


def test_the_head_of_a_pixel_and_what_browsers_ask_first(receiving: Receiving) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", receiving.port, timeout=10)
    before = receiving.store.last_number()
    for method, path, status in (
        ("HEAD", f"/v1/pixel/track?writeKey={KEY}", 200),
        ("OPTIONS", "/v1/t", 204),
        ("GET", f"/v1/pixel/track?writeKey={KEY}&userId=u9", 200),
        ("HEAD", f"/v1/projects/{KEY}/settings", 200),
    ):
        connection.request(method, path, headers={"origin": "https://a.example"})
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("access-control-allow-origin")) == (
            status,
            "https://a.example",
        )
        assert (len(answer.read()) > 0) == (method == "GET")
    connection.close()
    assert [message["userId"] for message in receiving.bodies(before)] == ["u9"]
