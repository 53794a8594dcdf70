"""`call: api`: any request to a connection's APIs, from routes.yaml and from a handler."""

import json
from pathlib import Path
from typing import Any

import pytest

from receiver.core import routes_file
from receiver.core.segment.request import api_call
from receiver.core.settings import Secret
from receiver.core.steps.handler import HandlerSpec
from receiver.core.steps.segment_api import ApiSpec
from tests.support.destination import Answer
from tests.support.outbound import NO_REDIS, NOWHERE, a_message, output, run_step, with_tools
from tests.support.segment_profiles import Profile
from tests.support.segment_stand_in import SegmentStandIn
from workers.outcome import Dead, Done, Drop, Outcome, Retry
from workers.response import Response
from workers.toolbox import Toolbox

CREDENTIALS: dict[str, Any] = {
    "profile_token": Secret("profile-token"),
    "space_id": "space",
    "public_api_token": Secret("public-token"),
}
SEEN = b'{"type":"track","event":"Seen","userId":"u1"}'
SEED = r"""
sources: {shop: {verify: {scheme: none}}}
connections: {crm: {write_key_env: KEY}}
routes:
  join:
    steps:
      - segment:
          connection: crm
          call: api
          method: POST
          path: /v1/group/
          headers:
            Content-Type: application/json
            authorization: 'Basic {{base64("your_Write_Key:")}}'
          body: '{"userId": "{{ userId }}", "groupId": "0e8c78ea9d97a7b8185e8632"}'
"""
"""The example of the low-code tools' documentation, with its slash and its braces."""


def call(
    server: SegmentStandIn | None,
    json: Any = None,
    *,
    message: Any = None,
    redis_url: str = NO_REDIS,
    **spec: Any,
) -> Outcome:
    """One attempt of an API call of `crm`, with all credentials."""
    made = ApiSpec(connection="crm", json=json, **{"path": "/v1/group", **spec})
    url = NOWHERE if server is None else server.url
    more = {"profile_url": url, "public_url": url}
    given = a_message(message or {"userId": "u/1"})
    return run_step(made, given, segment_url=url, redis_url=redis_url, connection={**CREDENTIALS, **more})


def test_the_example_of_the_low_code_tools_works_word_for_word(tmp_path: Path) -> None:
    (tmp_path / "routes.yaml").write_text(SEED)
    (step,) = routes_file.load(tmp_path / "routes.yaml", {"KEY": "key"}).routes["join"].steps
    with SegmentStandIn(key="your_Write_Key") as server:
        outcome = run_step(step.spec, a_message({"userId": "u1"}), segment_url=server.url)
        (seen,) = server.requests
        assert server.items == [{"type": "group", "userId": "u1", "groupId": "0e8c78ea9d97a7b8185e8632"}]
    assert (seen.method, seen.path, seen.query) == ("POST", "/v1/group/", "")
    assert seen.headers["authorization"] == "Basic eW91cl9Xcml0ZV9LZXk6"
    assert seen.headers["content-type"] == "application/json"
    assert seen.body == b'{"userId": "u1", "groupId": "0e8c78ea9d97a7b8185e8632"}'
    shown = output(outcome)
    assert (shown["status"], shown["body"], shown["truncated"]) == (200, {"success": True}, False)
    assert shown["headers"]["content-type"].startswith("application/")


def test_the_credential_is_added_and_json_is_filled() -> None:
    with SegmentStandIn() as server:
        output(call(server, {"userId": "{{ userId }}", "groupId": "g", "traits": {"plan": "{{ plan }}"}}))
        (item,) = server.items
    assert item["traits"] == {"plan": None}
    assert (item["userId"], item["groupId"]) == ("u/1", "g")


def test_profiles_and_the_public_api_are_within_reach(redis_url: str) -> None:
    with SegmentStandIn() as server:
        server.profiles.known["users/user_id:u/1"] = Profile(traits={"plan": "pro", "age": 7})
        place = "/v1/spaces/space/collections/users/profiles/user_id:{{ userId }}/traits"
        asked: dict[str, Any] = {"method": "GET", "query": {"include": "plan", "next": None, "limit": 5}}
        traits = output(call(server, api="profile", path=place, redis_url=redis_url, **asked))
        sources = output(call(server, api="public", path="/sources", method="GET"))
        assert server.requests[0].query == "include=plan&limit=5"
    assert traits["body"]["traits"] == {"plan": "pro"}
    assert sources["body"]["data"]["sources"][0]["slug"] == "website"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        *((status, Retry) for status in (408, 429, 500, 502, 503, 504)),
        *((status, Dead) for status in (301, 400, 401, 403, 404, 410, 413, 422, 501, 505)),
        *((status, Done) for status in (200, 201, 202, 204)),
    ],
)
def test_what_each_status_means(status: int, outcome: type[Outcome]) -> None:
    body = b"" if status == 204 else b'{"errors": [{"message": "why it is so"}]}'
    with SegmentStandIn(Answer(status=status, body=body)) as server:
        ended = call(server, {"groupId": "g"})
    assert isinstance(ended, outcome)
    if isinstance(ended, Retry | Dead) and status != 301:
        assert ended.code == f"http_{status}"
        assert "why it is so" in ended.error


def test_after_a_429_it_is_tried_again_when_segment_says() -> None:
    with SegmentStandIn(Answer(status=429, headers={"X-RateLimit-Reset": "7"})) as server:
        ended = call(server, {"groupId": "g"})
    assert isinstance(ended, Retry)
    assert ended.after_s == 7.0


def test_what_one_api_asks_to_wait_holds_that_api_alone() -> None:
    async def work(tools: Toolbox) -> list[Outcome | Response]:
        sender = tools.segment("crm")
        sources = api_call(sender.connection, "public", method="GET", path="/sources")
        busy = await sender.exchange("public", sources)
        return [busy, await sender.exchange("public", sources), await sender.send(SEEN)]

    with SegmentStandIn(Answer(status=429, headers={"Retry-After": "30"})) as server:
        busy, held, sent = with_tools(work, segment_url=server.url, public_url=server.url, **CREDENTIALS)
        assert len(server.requests) == 2
    assert isinstance(busy, Retry)
    assert isinstance(held, Retry)
    assert held.after_s == pytest.approx(30, abs=1)
    assert sent == Done()


def test_a_lost_connection_is_tried_again() -> None:
    ended = call(None, {"groupId": "g"})
    assert isinstance(ended, Retry)
    assert ended.code == "connect"


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ({"path": "/v1/{{ userId }}", "message": {"userId": ".."}}, "template_error"),
        ({"path": "/v1/{{ userId }}", "message": {"userId": "../../x"}}, "invalid_request"),
        ({"path": "/v1/{{ nothing }}"}, "template_error"),
        ({"headers": {"X-A": "{{ nothing }}"}}, "template_error"),
        ({"headers": {"X-A": "{{ userId }}"}, "message": {"userId": "a\r\nb"}}, "template_error"),
        ({"headers": {"Host": "evil.example"}}, "invalid_request"),
        ({"query": {"a": "{{ userId }}"}, "message": {"userId": {"b": 1}}}, "invalid_request"),
        ({"body": "{{ userId }}", "message": b'{"userId": "\\ud800"}'}, "template_error"),
    ],
)
def test_what_a_message_cannot_do(spec: dict[str, Any], code: str) -> None:
    with SegmentStandIn() as server:
        ended = call(server, **spec)
        assert server.requests == []
    assert isinstance(ended, Dead)
    assert ended.code == code


@pytest.mark.parametrize(
    ("user", "path"), [("a/b?c#d", "/v1/a%2Fb%3Fc%23d"), ("@e:1", "/v1/%40e%3A1"), ("ü", "/v1/%C3%BC")]
)
def test_values_in_a_path_are_encoded(user: str, path: str) -> None:
    with SegmentStandIn(Answer()) as server:
        output(call(server, path="/v1/{{ userId }}", message={"userId": user}))
        assert server.requests[0].path == path


def test_messages_in_its_json_carry_the_mark_and_a_body_goes_as_it_is() -> None:
    with SegmentStandIn() as server:
        call(server, {"userId": "u1", "groupId": "g", "context": {"ip": "192.0.2.1"}})
        call(server, {"batch": [{"type": "identify", "userId": "u1"}, 7]}, path="/v1/batch/", method="POST")
        call(server, path="/v1/group", body='{"userId":"u1","groupId":"g"}')
        first, second, third = (json.loads(seen.body) for seen in server.requests)
    assert first["context"] == {"ip": "192.0.2.1", "hookyard": {"hops": 1}}
    assert second == {
        "batch": [{"type": "identify", "userId": "u1", "context": {"hookyard": {"hops": 1}}}, 7]
    }
    assert third == {"userId": "u1", "groupId": "g"}


def test_circles_are_cut_where_messages_are_made() -> None:
    round_again = {"userId": "u1", "context": {"hookyard": {"hops": 1}}}
    with SegmentStandIn() as server:
        dropped = call(server, {"groupId": "g"}, message=round_again)
        assert server.requests == []
        assert isinstance(
            call(server, api="public", path="/sources", method="GET", message=round_again), Done
        )
    assert isinstance(dropped, Drop)
    assert dropped.code == "segment_loop"


def test_a_handler_makes_the_same_calls() -> None:
    spec = HandlerSpec(target="tests.support.handlers_under_test:call_api")
    with SegmentStandIn() as server:
        credentials = {**CREDENTIALS, "public_url": server.url}
        message = a_message({"userId": "u1"})
        done = run_step(spec, message, segment_url=server.url, connection=credentials)
        server.then(Answer(status=404, body=b'{"message": "no such source"}'))
        dead = run_step(spec, message, segment_url=server.url, connection=credentials)
        assert server.items[0]["groupId"] == "g1"
    assert done == Done({"source": "website", "success": True})
    assert isinstance(dead, Dead)
    assert dead.code == "http_404"
    assert "no such source" in dead.error
