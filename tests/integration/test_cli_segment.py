"""`hookyard segment` against a stand-in for Segment."""

import io
import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from receiver.cli.main import run
from receiver.core.segment.fields import CALLS, SHAPES
from tests.support.destination import Answer
from tests.support.segment_stand_in import SegmentStandIn

Captured = pytest.CaptureFixture[str]

ROUTES = """
connections:
  crm:
    write_key_env: KEY
    public_api_token_env: PUBLIC
    region: {{tracking: "{url}", public: "{url}"}}
"""


@pytest.fixture(autouse=True)
def segment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SegmentStandIn]:
    with SegmentStandIn(key="the-write-key") as server:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("KEY", "the-write-key")
        monkeypatch.setenv("PUBLIC", "public-token")
        monkeypatch.setenv("COLUMNS", "80")
        (tmp_path / "routes.yaml").write_text(ROUTES.format(url=server.url))
        yield server


def call(*arguments: str) -> int:
    return run(["segment", *arguments])


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """What is piped into the command."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


EXAMPLES: dict[str, tuple[list[str], dict[str, Any]]] = {
    "identify": (
        [
            *("--user-id", "u1", "--traits", '{"plan": "gold"}', "--first-name", "Ann", "--last-name", "Lee"),
            *("--age", "40", "--address", '{"city": "Bonn"}', "--custom", '{"shoe": 42}'),
        ],
        {
            "userId": "u1",
            "traits": {
                "plan": "gold",
                "firstName": "Ann",
                "lastName": "Lee",
                "name": "Ann Lee",
                "age": 40,
                "address": {"city": "Bonn"},
                "shoe": 42,
            },
        },
    ),
    "track": (
        [
            *(
                "--anonymous-id",
                "a1",
                "--event",
                "Order Completed",
                "--revenue",
                "19.99",
                "--currency",
                "eur",
            ),
            *("--properties", '{"order_id": "7"}', "--timestamp", "2026-05-01T12:00:00Z"),
        ],
        {
            "anonymousId": "a1",
            "event": "Order Completed",
            "properties": {"order_id": "7", "revenue": 19.99, "currency": "EUR"},
            "timestamp": "2026-05-01T12:00:00Z",
        },
    ),
    "page": (
        [
            "--user-id",
            "u1",
            "--name",
            "Home",
            "--category",
            "Shop",
            "--keywords",
            '["a"]',
            "--url",
            "https://x",
        ],
        {"name": "Home", "category": "Shop", "properties": {"keywords": ["a"], "url": "https://x"}},
    ),
    "screen": (
        ["--user-id", "u1", "--name", "Main", "--integrations", '{"All": false}'],
        {"name": "Main", "integrations": {"All": False}},
    ),
    "group": (
        ["--user-id", "u1", "--group-id", "g1", "--employees", "7", "--context", '{"ip": "192.0.2.1"}'],
        {"groupId": "g1", "traits": {"employees": "7"}},
    ),
    "alias": (["--user-id", "u1", "--previous-id", "u0"], {"userId": "u1", "previousId": "u0"}),
}


@pytest.mark.parametrize("name", CALLS)
def test_every_call(name: str, segment: SegmentStandIn, capsys: Captured) -> None:
    arguments, expected = EXAMPLES[name]
    assert call(name, *arguments) == 0
    (item,) = segment.items
    assert item | expected == item
    assert segment.requests[0].path == f"/v1/{name}"
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith(
        " ".join([name, item.get("event") or item.get("name") or ""]).rstrip() + ": 200 in "
    )
    assert out[1] == f"messageId {item['messageId']}"
    assert "no proof" in out[2]
    assert max(map(len, out)) <= 80


def test_every_field_of_a_call_is_an_option(capsys: Captured) -> None:
    for name in CALLS:
        assert call(name, "--help") == 0
        shown = capsys.readouterr().out
        for field in SHAPES[name].known:
            option = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in field)
            assert f"--{option} " in shown, (name, field)


def test_a_body_from_a_file_or_standard_input(
    segment: SegmentStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"type": "track", "userId": "u1", "event": "A", "properties": {"n": 12345678901234567890}}
    (tmp_path / "body.json").write_text(json.dumps(body))
    assert call("track", "--file", "body.json") == 0
    typed(monkeypatch, json.dumps(body))
    assert call("track", "--file", "-", "--event", "B", "--message-id", "mine") == 0
    assert [item["event"] for item in segment.items] == ["A", "B"]
    assert segment.items[0]["properties"] == {"n": 12345678901234567890}
    assert segment.items[1]["messageId"] == "mine"


def test_an_anonymous_id_is_made_up_on_request(segment: SegmentStandIn) -> None:
    for _ in range(2):
        assert call("page", "--name", "Home", "--generate-anonymous-id") == 0
    first, second = (item["anonymousId"] for item in segment.items)
    assert first != second
    assert len(first) == 36
    assert call("page", "--anonymous-id", "a1", "--generate-anonymous-id") == 2


def test_all_that_is_wrong_is_said_at_once(segment: SegmentStandIn, capsys: Captured) -> None:
    assert call("track", "--properties", "{", "--revenue", "much", "--currency", "XYZ") == 2
    said = capsys.readouterr().err
    for problem in (
        "--properties: is not JSON",
        "event: is required",
        "userId, anonymousId: one of them",
        "revenue: expected a number",
        "currency: expected a currency of ISO 4217",
    ):
        assert problem in said
    assert segment.requests == []


@pytest.mark.parametrize("text", ["", "{", "[]]", "[1]", "7", "[" * 100_000, '"text"'])
def test_a_file_that_holds_no_call(text: str, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    for command in ("track", "batch"):
        typed(monkeypatch, text)
        assert call(command, "--file", "-") == 2
        said = capsys.readouterr().err
        assert "Error: --file: -" in said or "Error: batch" in said


def test_a_dry_run_prints_the_exact_request(segment: SegmentStandIn, capsys: Captured) -> None:
    command = ["track", "--user-id", "u1", "--event", "Ü", "--message-id", "m1", "--dry-run"]
    assert call(*command) == 0
    shown = capsys.readouterr().out
    assert call(*command, "--json") == 0
    as_json = json.loads(capsys.readouterr().out)
    assert segment.requests == []
    head, _, body = shown.partition("\n\n")
    assert head.splitlines() == [
        f"POST {segment.url}/v1/track",
        "Authorization: Basic ***",
        "Content-Type: application/json",
    ]
    assert as_json["body"] == body.rstrip("\n")
    assert call(*command[:-1]) == 0
    assert segment.requests[0].body.decode() == body.rstrip("\n")


def test_refusals_and_silence(segment: SegmentStandIn, capsys: Captured) -> None:
    refusal = b'{"code": "invalid_request", "message": "An invalid write key"}'
    segment.then(Answer(status=400, body=refusal))
    assert call("alias", *EXAMPLES["alias"][0]) == 1
    assert "alias: answered 400: invalid_request An invalid write key" in capsys.readouterr().err
    segment.then(Answer(status=502, body=b"\x1b]0;title\x07"))
    assert call("alias", *EXAMPLES["alias"][0]) == 1
    assert "answered 502: \\x1b]0;title\\x07" in capsys.readouterr().err
    segment.then(Answer(behaviour="reset"))
    assert call("alias", *EXAMPLES["alias"][0]) == 1
    assert "cannot send to" in capsys.readouterr().err
    segment.then(Answer(status=503, body=b""))
    assert call("alias", *EXAMPLES["alias"][0], "--json") == 1
    assert json.loads(capsys.readouterr().out)["status"] == 503


@pytest.mark.parametrize("form", ["array", "lines", "body"])
def test_a_batch(
    form: str, segment: SegmentStandIn, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    calls = [
        {"type": "identify", "userId": "u1", "traits": {"email": "a@example.com"}},
        {"type": "track", "userId": "u1", "event": "A", "context": {"ip": "192.0.2.1"}, "messageId": "mine"},
    ]
    lines = "\n".join(map(json.dumps, calls))
    forms = {"array": json.dumps(calls), "lines": lines, "body": json.dumps({"batch": calls})}
    typed(monkeypatch, forms[form])
    assert call("batch", "--file", "-", "--context", '{"locale": "de"}', "--json") == 0
    first, second = segment.items
    assert (first["traits"], second["messageId"]) == ({"email": "a@example.com"}, "mine")
    assert second["context"]["ip"] == "192.0.2.1"
    assert [item["context"]["locale"] for item in segment.items] == ["de", "de"]
    assert json.loads(capsys.readouterr().out)["message_ids"] == [first["messageId"], "mine"]
    assert "sentAt" in segment.requests[0].json()


def test_a_batch_that_cannot_go(
    segment: SegmentStandIn, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    typed(monkeypatch, '[{"type": "track", "userId": "u1"}, {"type": "alias"}, 7]')
    assert call("batch", "--file", "-", "--integrations", "[") == 2
    said = capsys.readouterr().err
    for problem in (
        "--integrations: is not JSON",
        "batch[0].event: is required",
        "batch[1].",
        "batch[2]: ",
    ):
        assert problem in said
    big = {"type": "track", "userId": "u1", "event": "A", "properties": {"a": "x" * 30_000}}
    typed(monkeypatch, "\n".join([json.dumps(big)] * 17))
    assert call("batch", "--file", "-") == 2
    assert "batch: has 51" in capsys.readouterr().err
    typed(monkeypatch, "\n".join(['{"type": "alias", "userId": "a", "previousId": "b"}'] * 2_501))
    assert call("batch", "--file", "-") == 2
    assert "batch: holds 2,501 calls, Segment takes 2,500" in capsys.readouterr().err
    assert segment.requests == []


def test_the_api_call_of_the_seeds(segment: SegmentStandIn, capsys: Captured) -> None:
    arguments = ["--method", "POST", "--path", "/v1/group/", "--header", "Content-Type: application/json"]
    body = '{"userId": "u1", "groupId": "g1"}'
    assert call("api", *arguments, "--body", body) == 0
    (seen,) = segment.requests
    assert (seen.path, seen.body.decode()) == ("/v1/group/", body)
    out = capsys.readouterr().out
    assert out.startswith("200 in ")
    assert '"success": true' in out
    assert call("api", *arguments, "--body", body, "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["status"], answer["body"], answer["truncated"]) == (200, {"success": True}, False)
    assert answer["headers"]["content-type"]


def test_any_api_with_query_and_own_headers(segment: SegmentStandIn, capsys: Captured) -> None:
    query = ["--query", "pagination.count=1", "--query", "a=ü", "--query", "a=="]
    assert call("api", "--api", "public", "--path", "/sources", *query) == 0
    assert segment.requests[0].query == "pagination.count=1&a=%C3%BC&a=%3D"
    assert '"website"' in capsys.readouterr().out
    overridden = ["--header", "authorization: Bearer nobody", "--path", "/", "--dry-run"]
    assert call("api", "--api", "public", *overridden) == 0
    shown = capsys.readouterr().out
    assert "authorization: Bearer ***" in shown
    assert "Authorization:" not in shown
    assert call("api", "--api", "public", *overridden[:-1]) == 1
    assert capsys.readouterr().out.startswith("401 in ")


def test_an_api_call_that_cannot_go(capsys: Captured) -> None:
    assert call("api", "--path", "v1//../x", "--header", "Host: other") == 2
    said = capsys.readouterr().err
    assert "--path: begins with one `/`" in said
    assert "--headers.Host: is set by the client itself" in said
    wrong = ["--header", "nothing", "--query", "nothing", "--body", "", "--file", "-"]
    assert call("api", "--path", "/", *wrong) == 2
    said = capsys.readouterr().err
    for problem in (
        "--header: 'nothing' has no :",
        "--query: 'nothing' has no =",
        "--body, --file: ",
    ):
        assert problem in said


PAGE = Path(__file__).parents[2] / "docs" / "segment.md"


def test_the_examples_of_the_page_work(
    segment: SegmentStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "profile-token")
    routes = ROUTES.replace("    region:", "    profile_token_env: TOKEN\n    space_id: space\n    region:")
    routes = routes.replace("{{tracking:", '{{profile: "{url}", tracking:').format(url=segment.url)
    (tmp_path / "routes.yaml").write_text(routes)
    (tmp_path / "calls.jsonl").write_text('{"type": "alias", "userId": "a", "previousId": "b"}\n')
    block = PAGE.read_text(encoding="utf-8").partition("## By hand")[2].split("```")[1]
    for line in block.split("\n"):
        piped, _, command = line.rpartition(" | hookyard ")
        arguments = shlex.split(command.removeprefix("hookyard "))
        if piped:
            typed(monkeypatch, shlex.split(piped)[1])
        if arguments and arguments[0] in ("segment", "profile"):
            assert run([*arguments, "--dry-run"]) == 0, line
    assert segment.requests == []
