"""Requests that really go out, to servers on loopback that behave as badly as real ones."""

import asyncio
import gzip
import json
import socket
from typing import Any

import pytest

from receiver.core.routes import HandlerSpec, HttpSpec, Method, SegmentSpec
from tests.support import handlers_under_test as handlers
from tests.support.destination import Answer, Destination, SegmentStandIn, refusal
from tests.support.outbound import a_context, a_message, a_step, run_step, with_tools
from workers import addresses, steps
from workers.errors import RequestRefused
from workers.http import RESPONSE_LIMIT, Response
from workers.outcome import Dead, Done, Outcome, Retry
from workers.toolbox import Toolbox

BODY = {
    "type": "track",
    "event": "Order Completed",
    "userId": "u/1",
    "properties": {"order_id": "o 1", "total": 3},
}


def post(url: str, *, method: Method = "POST", message: Any = BODY, **options: Any) -> Outcome:
    spec = HttpSpec(method=method, url=url, **{"allow_private": True, **options})
    return run_step(spec, a_message(message))


def answered(*script: Answer, **options: Any) -> Outcome:
    with Destination(*script) as destination:
        return post(destination.url, **options)


def output(outcome: Outcome) -> dict[str, Any]:
    assert isinstance(outcome, Done), outcome
    assert isinstance(outcome.output, dict)
    return outcome.output


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
    with Destination() as destination:
        output(
            post(
                destination.url + "/users/{{ userId }}?order={{ properties.order_id }}",
                method="PUT",
                headers={
                    "X-Source": "{{ source }}",
                    "content-type": "application/vnd.x+json",
                    "Idempotency-Key": "mine",
                },
                json={"total": "{{ properties.total }}", "text": "order {{ properties.order_id }}"},
            )
        )
        (seen,) = destination.requests
    assert (seen.method, seen.query) == ("PUT", "order=o%201")
    assert seen.path == "/users/u%2F1"
    assert seen.headers["x-source"] == "shop"
    assert seen.headers["content-type"] == "text/plain"
    assert seen.headers["idempotency-key"] == "mine"
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


# Where it may go


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "①②⑦.⓪.⓪.①", "0.0.0.0"),  # noqa: S104
        *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "localhost", "LOCALHOST"),
    ],
)
def test_no_spelling_of_this_machine_gets_through(host: str) -> None:
    with Destination() as destination:
        port = destination.url.rpartition(":")[2]
        outcome = post(f"http://{host}:{port}/", allow_private=False)
        assert destination.requests == []
    assert isinstance(outcome, Dead)
    assert outcome.code in ("address_refused", "invalid_request", "template_error")


def test_metadata_is_refused_even_where_private_addresses_are_allowed() -> None:
    outcome = post("http://169.254.169.254/latest/meta-data")
    assert isinstance(outcome, Dead)
    assert outcome.code == "address_refused"


def test_an_answer_that_changes_after_the_check_does_not_help(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the resolver's answer is let through, and still no socket opens for it."""
    monkeypatch.setattr(addresses.Gate, "check", _lenient_once())
    with Destination() as destination:
        port = int(destination.url.rpartition(":")[2])
        outcome = post(f"http://localhost:{port}/", allow_private=False)
        assert destination.requests == []
    assert isinstance(outcome, Dead)
    assert outcome.code == "address_refused"


def _lenient_once() -> Any:
    strict, calls = addresses.Gate.check, iter([True])

    def check(gate: addresses.Gate, address: str) -> None:
        if not next(calls, False):
            strict(gate, address)

    return check


def test_the_connection_goes_to_the_address_that_was_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up: list[str] = []

    def look_up(host: str, port: int, family: int) -> list[Any]:
        looked_up.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(addresses, "_look_up", look_up)
    with Destination() as destination:
        port = destination.url.rpartition(":")[2]
        output(post(f"http://shop.example.com:{port}/"))
        assert destination.requests[0].headers["host"] == f"shop.example.com:{port}"
    assert looked_up == ["shop.example.com"]


def test_a_guarded_request_does_not_use_a_private_ones_connection() -> None:
    async def work(tools: Toolbox) -> None:
        await tools.http.get(destination.url, allow_private=True)
        with pytest.raises(RequestRefused, match="not a public address"):
            await tools.http.get(destination.url)

    with Destination() as destination:
        with_tools(work)
        assert len(destination.requests) == 1


# Segment


def track(server: SegmentStandIn, users: list[Any], **fields: Any) -> list[Outcome]:
    """One step per user, all at once."""
    spec = SegmentSpec(connection="crm", call="track", userId="{{ userId }}", event="Seen", **fields)

    async def work(tools: Toolbox) -> list[Outcome]:
        step = steps.build(a_step(spec), tools)
        messages = [a_message({"userId": user}, number=number) for number, user in enumerate(users)]
        return await asyncio.gather(*(step.run(message, a_context(tools, message)) for message in messages))

    return with_tools(work, segment_url=server.url)


def test_concurrent_deliveries_share_a_request() -> None:
    with SegmentStandIn() as server:
        outcomes = track(server, [f"u{number}" for number in range(200)])
        assert len(server.requests) == 1
        envelope = server.requests[0].json()
    assert [item["userId"] for item in server.items] == [f"u{number}" for number in range(200)]
    assert [output(outcome)["messageId"] for outcome in outcomes] == [
        item["messageId"] for item in server.items
    ]
    assert len({item["messageId"] for item in server.items}) == 200
    assert set(envelope) == {"batch", "sentAt"}


def test_batches_stay_within_segments_limits() -> None:
    with SegmentStandIn() as server:
        assert all(isinstance(outcome, Done) for outcome in track(server, list(range(6_000))))
        assert len(server.items) == 6_000
    with SegmentStandIn() as server:
        outcomes = track(server, list(range(40)), properties={"text": "x" * 30_000})
        assert all(isinstance(outcome, Done) for outcome in outcomes)
        assert len(server.items) == 40


def test_a_bad_item_costs_the_others_nothing() -> None:
    with SegmentStandIn(refuses=lambda item: item["userId"] == "bad") as server:
        outcomes = track(server, ["u1", "u2", "bad", "u3", "u4"])
    assert [type(outcome) for outcome in outcomes] == [Done, Done, Dead, Done, Done]
    assert sorted(item["userId"] for item in server.items) == ["u1", "u2", "u3", "u4"]
    assert "Exceed payload limit" in getattr(outcomes[2], "error", "")


def test_a_wrong_key_is_found_with_one_request() -> None:
    with SegmentStandIn(key="another") as server:
        outcomes = track(server, list(range(100)))
        assert len(server.requests) == 1
    assert {getattr(outcome, "code", "") for outcome in outcomes} == {"http_400"}


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_segment_makes_every_delivery_of_the_batch_wait(status: int) -> None:
    busy = Answer(status=status, headers={"X-RateLimit-Reset": "12"})
    with SegmentStandIn(busy) as server:
        outcomes = track(server, ["u1", "u2"])
    assert [getattr(outcome, "after_s", None) for outcome in outcomes] == [12.0, 12.0]
    assert all(isinstance(outcome, Retry) for outcome in outcomes)


def test_what_segment_would_drop_is_not_sent() -> None:
    with SegmentStandIn() as server:
        (outcome,) = track(server, [{"id": 1}], properties="text", timestamp="yesterday")
        assert server.requests == []
    assert isinstance(outcome, Dead)
    assert outcome.code in ("invalid_segment_call", "template_error")


# From handlers


def called(name: str, *, url: str = "", segment_url: str = "", attempt: int = 1) -> Outcome:
    message = a_message({"userId": "u1", "url": url})
    spec = HandlerSpec(target=f"{handlers.__name__}:{name}")
    return run_step(spec, message, segment_url=segment_url, attempt=attempt)


@pytest.mark.parametrize("name", ["post_async", "post_sync"])
def test_handlers_share_the_client(name: str) -> None:
    with Destination(
        Answer(), Answer(status=503, headers={"Retry-After": "9"}), Answer(status=404)
    ) as destination:
        assert called(name, url=destination.url) == Done({"success": True})
        assert destination.requests[0].json() == {"id": "msg_17"}
        busy, missing = called(name, url=destination.url), called(name, url=destination.url)
    assert isinstance(busy, Retry)
    assert (busy.code, busy.after_s) == ("http_503", 9.0)
    assert isinstance(missing, Dead)
    assert missing.code == "http_404"


def test_a_handlers_calls_keep_their_ids_over_attempts() -> None:
    with SegmentStandIn() as server:
        first = called("track_async", segment_url=server.url)
        second = called("track_async", segment_url=server.url, attempt=2)
        assert isinstance(called("track_sync", segment_url=server.url), Done)
    assert first == second
    assert isinstance(first, Done)
    assert isinstance(first.output, list)
    assert len(set(first.output)) == 3  # the same call made twice is two messages
    assert [item["type"] for item in server.items[:3]] == ["identify", "track", "track"]


def test_a_handlers_failed_call_decides_over_its_delivery() -> None:
    with SegmentStandIn(refusal(400, "no"), Answer(status=429, headers={"Retry-After": "4"})) as server:
        dead = called("track_sync", segment_url=server.url)
        waits = called("track_async", segment_url=server.url)
    assert isinstance(dead, Dead)
    assert dead.code == "http_400"
    assert isinstance(waits, Retry)
    assert (waits.code, waits.after_s) == ("http_429", 4.0)
    assert json.dumps(dead.error).endswith('400: no"')
