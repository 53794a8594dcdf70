"""Messages that Segment would reject, by both ways in: kept or refused as the source says; rate limits."""

import json

import pytest

from receiver.core.routes import Config
from receiver.core.routes_file import parse
from tests.support.http_side import HttpSide
from tests.support.sender import Answer
from tests.support.time import FakeClock
from tests.support.tracking import text

ROUTES = """
sources:
  lax: {verify: {scheme: none}, write_key_env: LAX}
  strict: {verify: {scheme: none}, write_key_env: STRICT, invalid: refuse}
  slow: {verify: {scheme: none}, write_key_env: SLOW, rate_limit: 2/s}
  signed: {verify: {scheme: segment, secret_env: LAX}}
routes:
  good: {steps: [handler: "a:b"]}
  all: {invalid: true, steps: [handler: "a:b"]}
"""
GOOD = {"type": "track", "event": "E", "userId": "u", "messageId": "1"}
BAD = {"type": "group", "userId": "u", "messageId": "2"}
DELETE = {"type": "delete", "messageId": "3"}


@pytest.fixture
def side() -> HttpSide:
    return HttpSide(configured=configured(), clock=FakeClock())


def configured() -> Config:
    environ = {"LAX": "lax-key", "STRICT": "strict-key", "SLOW": "slow-key"}
    return parse(ROUTES, file="routes.yaml", environ=environ)


def hooks(side: HttpSide, source: str, body: object) -> Answer:
    return side.send(text(body), path=f"/hooks/{source}", headers={})


def call(side: HttpSide, source: str, *items: object) -> Answer:
    return side.send(text({"writeKey": f"{source}-key", "batch": items}), path="/v1/batch", headers={})


def routes(side: HttpSide) -> list[tuple[str, ...]]:
    return [message.routes for message in side.recorder.messages]


def test_kept_ones_go_to_routes_that_ask(side: HttpSide) -> None:
    assert hooks(side, "lax", [GOOD, BAD, DELETE]).status == 200
    assert routes(side) == [("good", "all"), ("all",), ("good", "all")]
    assert call(side, "lax", BAD, GOOD).status == 200
    assert routes(side)[3:] == [("all",), ("good", "all")]
    assert side.counted('hookyard_messages_invalid_total{code="id_required",source="lax"}') == 2
    assert side.refusals.take() == []


def test_a_single_one_is_refused_with_segments_code(side: HttpSide) -> None:
    answer = hooks(side, "strict", BAD)
    assert (answer.status, answer.code) == (400, "id_required")
    assert "a group call without groupId" in answer.json()["message"]
    body = text({**BAD, "writeKey": "strict-key"})
    again = side.send(body, path="/v1/group", headers={})
    assert (again.status, again.code) == (400, "id_required")
    assert side.recorder.messages == []
    (noted,) = side.refusals.take()
    assert (noted.source, noted.code, noted.count) == ("strict", "id_required", 2)
    assert "writeKey" not in noted.sample
    assert json.loads(noted.sample)["messageId"] == "2"


def test_in_a_batch_it_is_left_out_alone(side: HttpSide) -> None:
    assert hooks(side, "strict", [None, BAD, GOOD, DELETE, {"any": "thing"}]).status == 200
    assert call(side, "strict", BAD, GOOD).status == 200
    assert [message.message_id for message in side.recorder.messages] == ["1", "3", None, "1"]
    assert side.counted('hookyard_elements_refused_total{reason="id_required"}') == 2
    assert side.counted('hookyard_elements_refused_total{reason="null"}') == 1
    found = {one.code: (one.source, one.count) for one in side.refusals.take()}
    assert found == {"null": ("strict", 1), "id_required": ("strict", 2)}


def test_a_batch_of_which_none_is_left_is_refused(side: HttpSide) -> None:
    assert hooks(side, "strict", [BAD, {"type": "track", "userId": "u"}]).code == "id_required"
    assert call(side, "strict", {"type": "track", "userId": "u"}, BAD).code == "event_not_defined"
    assert hooks(side, "strict", []).status == 200
    assert side.recorder.messages == []


def test_a_batch_of_several_sources_follows_each(side: HttpSide) -> None:
    items = [{**BAD, "writeKey": "lax-key"}, {**BAD, "writeKey": "strict-key"}]
    assert call(side, "lax", *items).status == 200
    assert [message.source for message in side.recorder.messages] == ["lax"]
    assert [one.source for one in side.refusals.take()] == ["strict"]


def test_who_is_not_known_is_noted_without_a_body(side: HttpSide) -> None:
    assert hooks(side, "signed", GOOD).status == 401
    assert call(side, "wrong", GOOD).code == "invalid_write_key"
    assert side.send(b"{", path="/hooks/lax", headers={}).code == "malformed_json"
    found = {one.code: one for one in side.refusals.take()}
    assert found["signature_missing"].sample == found["invalid_write_key"].sample == ""
    assert found["signature_missing"].size == len(text(GOOD))
    assert found["invalid_write_key"].source == "/v1/batch"
    assert (found["malformed_json"].source, found["malformed_json"].sample) == ("lax", "{")


def test_a_body_that_is_too_large_is_noted() -> None:
    side = HttpSide(configured=configured(), max_body=10)
    assert hooks(side, "lax", GOOD).status == 413
    (noted,) = side.refusals.take()
    assert (noted.source, noted.code, noted.size) == ("lax", "body_too_large", 0)


def test_a_pixel_is_noted_too(side: HttpSide) -> None:
    path = "/v1/pixel/group?writeKey=strict-key&userId=u"
    assert side.send(path=path, method="GET", headers={}).status == 200
    assert [(one.source, one.code) for one in side.refusals.take()] == [("strict", "id_required")]


def test_above_the_rate_429_by_both_ways_in_together(side: HttpSide) -> None:
    assert hooks(side, "slow", GOOD).status == 200
    assert call(side, "slow", GOOD).status == 200
    for answer in (hooks(side, "slow", GOOD), call(side, "slow", GOOD)):
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (429, "rate_limited", "1")
    assert len(side.recorder.messages) == 2
    assert hooks(side, "lax", GOOD).status == 200
    assert side.refusals.take() == []
