import json
from collections.abc import Mapping

import pytest
from yarl import URL

from workers.errors import RequestRefused, RetryError
from workers.outcome import Dead, Done, Retry
from workers.response import Response, failure
from workers.sender import judged


def a_response(status: int, headers: Mapping[str, str] | None = None, body: bytes = b"{}") -> Response:
    url = URL("https://user:secret@example.com/hook?token=secret")
    return Response(status=status, headers=headers or {}, body=body, method="POST", url=url)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_worked(status: int) -> None:
    assert failure(a_response(status)) is None
    assert a_response(status).raise_for_status().status == status


@pytest.mark.parametrize("status", [408, 429, 500, 501, 503, 505, 599])
def test_what_may_pass_is_tried_again(status: int) -> None:
    expected = Retry(f"http_{status}", f"POST example.com/hook answered {status}", 7.0)
    assert failure(a_response(status, {"Retry-After": "7"})) == expected
    with pytest.raises(RetryError) as caught:
        a_response(status).raise_for_status()
    assert caught.value.code == f"http_{status}"


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 423, 499])
def test_other_4xx_are_permanent(status: int) -> None:
    assert failure(a_response(status)) == Dead(f"http_{status}", f"POST example.com/hook answered {status}")
    with pytest.raises(RequestRefused) as caught:
        a_response(status).raise_for_status()
    assert caught.value.code == f"http_{status}"


def test_410_pauses_the_route() -> None:
    assert failure(a_response(410)) == Dead(
        "http_410", "POST example.com/hook answered 410", pause_route=True
    )


@pytest.mark.parametrize("status", [300, 301, 302, 304, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    outcome = failure(a_response(status))
    assert isinstance(outcome, Dead)
    assert outcome.code == "http_redirect"


def test_a_body_is_text_or_json() -> None:
    response = a_response(200, body=b'{"a": "\xc3\xa4"}')
    assert response.json() == {"a": "ä"}
    assert a_response(200, body=b"\xff!").text == "\ufffd!"


@pytest.mark.parametrize("status", [501, 505])
def test_segments_own_clients_do_not_repeat_these(status: int) -> None:
    assert isinstance(judged(a_response(status)).outcome, Dead)


@pytest.mark.parametrize(
    ("headers", "after_s"),
    [
        ({"Retry-After": "3", "X-RateLimit-Reset": "9"}, 3.0),
        ({"X-RateLimit-Reset": "9"}, 9.0),
        ({"X-RateLimit-Reset": "soon"}, None),
        ({"X-RateLimit-Reset": "1700000000"}, 0.0),  # a moment of 2023, not a wait of 54 years
        ({}, None),
    ],
)
def test_segments_rate_limit_says_when(headers: dict[str, str], after_s: float | None) -> None:
    outcome = judged(a_response(429, headers)).outcome
    assert isinstance(outcome, Retry)
    assert outcome.after_s == after_s


def test_segments_sentence_is_part_of_the_error() -> None:
    body = json.dumps({"success": False, "message": "malformed JSON"}).encode()
    answer = judged(a_response(400, body=body))
    assert answer.outcome == Dead("http_400", "POST example.com/hook answered 400: malformed JSON")
    assert answer.blame


@pytest.mark.parametrize("body", [b"", b"[]", b"3", b'{"message": 3}', b"<html>"])
def test_any_body_will_do(body: bytes) -> None:
    assert judged(a_response(400, body=body)).outcome == Dead(
        "http_400", "POST example.com/hook answered 400"
    )


def test_a_wrong_key_is_no_items_fault() -> None:
    body = b'{"message": "An invalid write key was provided"}'
    assert not judged(a_response(400, body=body)).blame
    assert not judged(a_response(401)).blame
    assert judged(a_response(200)).outcome == Done()
