"""What an http step can say of its request, and of what it takes for success."""

from base64 import b64encode
from typing import Any

import pytest
from standardwebhooks import Webhook

from receiver.core.routes_file import parse
from receiver.core.steps.http import HttpSpec
from tests.support.destination import Answer, Destination, Seen
from tests.support.outbound import a_message, output, run_step
from workers.outcome import Dead, Outcome, Retry

ENVIRON = {
    "PASSWORD": "pä:ss",
    "TOKEN": "tok-1",
    "NEW": "whsec_" + b64encode(b"new" * 8).decode(),
    "OLD": "whsec_" + b64encode(b"old" * 8).decode(),
}
BODY = {"userId": "u 1", "properties": {"tags": ["a", "b&c"], "n": 3, "text": "é"}}


def spec(keys: str, url: str = "http://127.0.0.1:9") -> HttpSpec:
    step = f"http: {{url: '{url}', allow_private: true, {keys}}}"
    text = f"sources: {{s: {{verify: {{scheme: none}}}}}}\nroutes: {{r: {{steps: [{{{step}}}]}}}}\n"
    made = parse(text, file="f", environ=ENVIRON).routes["r"].steps[0].spec
    assert isinstance(made, HttpSpec)
    return made


def sent(keys: str, **context: Any) -> Seen:
    with Destination() as destination:
        output(run_step(spec(keys, destination.url), a_message(BODY), **context))
        (seen,) = destination.requests
    return seen


def answered(keys: str, answer: Answer) -> Outcome:
    with Destination(answer) as destination:
        return run_step(spec(keys, destination.url), a_message(BODY))


def test_a_form() -> None:
    seen = sent(
        'form: {user: "{{ userId }}", tag: "{{ properties.tags }}", n: "{{ properties.n }}", '
        'gone: "{{ traits.x }}", yes: true}'
    )
    assert seen.body == b"user=u+1&tag=a&tag=b%26c&n=3&yes=true"
    assert seen.headers["content-type"] == "application/x-www-form-urlencoded"


def test_a_raw_body() -> None:
    seen = sent('raw: "<u>{{ userId }} {{ properties.text }}</u>"')
    assert seen.body.decode() == "<u>u 1 é</u>"
    assert seen.headers["content-type"] == "text/plain; charset=utf-8"
    seen = sent('raw: "{{ properties }}", headers: {content-type: text/xml}, method: DELETE')
    assert (seen.method, seen.headers["content-type"]) == ("DELETE", "text/xml")
    assert seen.json() == BODY["properties"]


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ("basic: {user: ada, password_env: PASSWORD}", "authorization", "Basic YWRhOnDDpDpzcw=="),
        ("bearer: {token_env: TOKEN}", "authorization", "Bearer tok-1"),
        ("header: {name: X-Api-Key, value_env: TOKEN}", "x-api-key", "tok-1"),
    ],
)
def test_who_we_are(auth: str, header: str, value: str) -> None:
    assert sent(f"auth: {{{auth}}}").headers[header] == value
    assert value not in repr(spec(f"auth: {{{auth}}}"))


def test_a_signed_request_is_verified_by_either_secret() -> None:
    seen = sent("sign: {scheme: standard-webhooks, secret_env: [NEW, OLD]}")
    assert len(seen.headers["webhook-signature"].split()) == 2
    for secret in ("NEW", "OLD"):
        assert Webhook(ENVIRON[secret]).verify(seen.body, dict(seen.headers)) == BODY
    bodiless = sent("method: GET, sign: {scheme: standard-webhooks, secret_env: OLD}")
    assert (bodiless.body, len(bodiless.headers["webhook-signature"].split())) == (b"", 1)


def test_the_id_of_a_signed_request_is_the_same_on_every_attempt() -> None:
    keys = "sign: {scheme: standard-webhooks, secret_env: NEW}"
    first, again = sent(keys), sent(keys, attempt=2)
    assert first.headers["webhook-id"] == again.headers["webhook-id"] == first.headers["idempotency-key"]


@pytest.mark.parametrize(
    ("expect", "status"), [("[404]", 404), ("[2xx, 400-410]", 410), ("[5xx]", 503), ("[304]", 304)]
)
def test_an_expected_status_is_a_success(expect: str, status: int) -> None:
    assert output(answered(f"expect: {expect}", Answer(status=status)))["status"] == status


def test_other_statuses_keep_their_meaning() -> None:
    outcome = answered("expect: [201]", Answer(status=200))
    assert isinstance(outcome, Dead)
    assert outcome.code == "unexpected_status"
    assert "answered 200, which `expect` does not name" in outcome.error
    assert isinstance(answered("expect: [201]", Answer(status=503)), Retry)
    gone = answered("expect: [201]", Answer(status=410))
    assert isinstance(gone, Dead)
    assert gone.pause_route


@pytest.mark.parametrize(
    ("wanted", "body", "seen"),
    [
        ("auto", b'{"a": 1}', {"a": 1}),
        ("auto", b"<a>", "<a>"),
        ("json", b"[1]", [1]),
        ("text", b'{"a": 1}', '{"a": 1}'),
    ],
)
def test_what_the_output_has_as_body(wanted: str, body: bytes, seen: object) -> None:
    assert output(answered(f"output: {wanted}", Answer(body=body)))["body"] == seen


def test_an_output_of_no_body_and_of_no_json() -> None:
    assert set(output(answered("output: none", Answer(body=b"x" * 1000)))) == {"status", "headers"}
    outcome = answered("output: json", Answer(body=b"<html>"))
    assert isinstance(outcome, Dead)
    assert outcome.code == "answer_not_json"
