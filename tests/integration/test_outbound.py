"""Requests that really go out, to servers on loopback that behave as badly as real ones."""

import gzip
from typing import Any

import pytest

from receiver.core.steps.http import HttpSpec, Method
from tests.support.destination import Answer, Destination
from tests.support.outbound import (
    BODY,
    a_message,
    called,
    output,
    post,
    run_step,
    with_tools,
)
from workers.outcome import Dead, Done, Outcome, Retry
from workers.response import RESPONSE_LIMIT, Response
from workers.toolbox import Toolbox


def answered(*script: Answer, **options: Any) -> Outcome:
    with Destination(*script) as destination:
        return post(destination.url, **options)


# What is sent


def test_a_step_without_json_sends_the_exact_bytes_that_came_in() -> None:
    raw = b'{ "type" : "track", "x": "\\ud83d", "n": 1e400 }'
    with Destination() as destination:
        output(post(destination.url + "/in?key=1", message=raw))
        (seen,) = destination.requests
    assert (seen.method, seen.path, seen.query, seen.body) == ("POST", "/in", "key=1", raw)
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["user-agent"].startswith("Hookyard/")
    assert seen.headers["hookyard-message"] == "msg_17"
    assert seen.headers["hookyard-attempt"] == "1"
    assert seen.headers["idempotency-key"].startswith("hookyard-")
    assert "hookyard-replay" not in seen.headers


def test_a_replay_says_so() -> None:
    with Destination() as destination:
        spec = HttpSpec(method="POST", url=destination.url, allow_private=True)
        output(run_step(spec, a_message(BODY), attempt=2, replay=7))
        (seen,) = destination.requests
    assert (seen.headers["hookyard-attempt"], seen.headers["hookyard-replay"]) == ("2", "7")


def test_url_headers_and_json_are_filled_from_the_message() -> None:
    headers = {"X-Source": "{{ source }}", "content-type": "text/plain", "Idempotency-Key": "mine"}
    body = {"total": "{{ properties.total }}", "text": "order {{ properties.order_id }}"}
    with Destination() as destination:
        url = destination.url + "/users/{{ userId }}?order={{ properties.order_id }}"
        output(post(url, method="PUT", headers=headers, json=body))
        (seen,) = destination.requests
    assert (seen.method, seen.path, seen.query) == ("PUT", "/users/u%2F1", "order=o%201")
    assert (seen.headers["x-source"], seen.headers["idempotency-key"]) == ("shop", "mine")
    assert seen.headers["content-type"] == "text/plain"
    assert seen.json() == {"total": 3, "text": "order o 1"}


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_get_sends_no_body_of_its_own_accord(method: Method) -> None:
    with Destination() as destination:
        output(post(destination.url, method=method))
        assert destination.requests[0].body == b""
        assert "content-type" not in destination.requests[0].headers


def test_a_value_that_is_missing_from_the_url_is_dead() -> None:
    outcome = answered(json={"a": "{{ properties.nothing }}"})
    assert isinstance(outcome, Done)
    with Destination() as destination:
        missing = post(destination.url + "/{{ properties.nothing }}")
        assert destination.requests == []
    assert isinstance(missing, Dead)
    assert missing.code == "template_error"


def test_a_header_cannot_smuggle_in_another_request() -> None:
    with Destination() as destination:
        outcome = post(destination.url, headers={"Content-Length": "0"})
        assert isinstance(outcome, Dead)
        assert outcome.code == "invalid_request"
        assert destination.requests == []


# What comes back


def test_the_output_holds_status_some_headers_and_the_body() -> None:
    headers = {"Content-Type": "application/json", "X-Request-Id": "r1", "Set-Cookie": "a=secret"}
    assert output(answered(Answer(status=201, headers=headers, body=b'{"id": 10000000000000000000000}'))) == {
        "status": 201,
        "headers": {"content-type": "application/json", "x-request-id": "r1"},
        "body": {"id": 10**22},
        "truncated": False,
    }
    assert output(answered(Answer(body=b"\xffok")))["body"] == "\ufffdok"
    assert output(answered(Answer(status=204, body=b"")))["body"] == ""


def test_a_body_without_end_is_cut_and_the_connection_closed() -> None:
    result = output(answered(Answer(behaviour="flood")))
    assert result["truncated"] is True
    assert result["body"] == "x" * RESPONSE_LIMIT


def test_a_compressed_body_is_inflated_up_to_the_limit() -> None:
    headers = {"Content-Encoding": "gzip"}
    assert output(answered(Answer(headers=headers, body=gzip.compress(b'{"a": 1}'))))["body"] == {"a": 1}
    bomb = output(answered(Answer(headers=headers, body=gzip.compress(b"x" * 100_000_000))))
    assert (len(bomb["body"]), bomb["truncated"]) == (RESPONSE_LIMIT, True)
    assert output(answered(Answer(headers=headers, body=b"no gzip")))["body"] == "no gzip"


def test_a_redirect_is_not_followed() -> None:
    with Destination() as other:
        outcome = answered(Answer(status=302, headers={"Location": other.url}))
        assert other.requests == []
    assert isinstance(outcome, Dead)
    assert outcome.code == "http_redirect"


def test_a_destination_that_is_gone_pauses_the_route() -> None:
    outcome = answered(Answer(status=410))
    assert isinstance(outcome, Dead)
    assert outcome.pause_route


def test_cookies_are_not_kept() -> None:
    async def work(tools: Toolbox) -> None:
        for _ in range(2):
            await tools.http.get(destination.url, allow_private=True)

    with Destination(otherwise=Answer(headers={"Set-Cookie": "a=1; Path=/"})) as destination:
        with_tools(work)
        assert all("cookie" not in seen.headers for seen in destination.requests)


def test_errors_name_no_secrets() -> None:
    with Destination(otherwise=Answer(status=500)) as destination:
        url = destination.url + "/hook?token=hidden"
        outcome = post(url, headers={"Authorization": "hidden"})
        with_name = called("post_async", url=url.replace("//", "//user:hidden@"))
    assert isinstance(outcome, Retry)
    assert outcome.error == f"POST {destination.url.removeprefix('http://')}/hook answered 500"
    assert outcome == with_name


def test_what_is_not_http_or_not_tls_is_tried_again() -> None:
    with Destination() as destination:
        outcome = post(destination.url.replace("http://", "https://"))
    assert isinstance(outcome, Retry)
    assert outcome.code == "tls"


def test_a_handlers_own_timeout_is_shorter() -> None:
    async def work(tools: Toolbox) -> Response:
        return await tools.http.get(destination.url, allow_private=True, timeout=0.05)

    with (
        Destination(otherwise=Answer(behaviour="hang")) as destination,
        pytest.raises(Exception, match="in time"),
    ):
        with_tools(work)
