"""`hookyard profile` against a stand-in for the Profile API."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.cli.main import run
from tests.support.destination import Answer
from tests.support.segment_profiles import Profile
from tests.support.segment_stand_in import SegmentStandIn

ROUTES = """
connections:
  crm: {{profile_token_env: TOKEN, space_id: space, region: {{profile: "{url}"}}}}
  web: {{write_key_env: TOKEN}}
"""
EVENT = {
    "type": "track",
    "event": "Signed Up",
    "timestamp": "2026-05-01T12:00:00Z",
    "properties": {"a": "x" * 200},
}


@pytest.fixture(autouse=True)
def segment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SegmentStandIn]:
    with SegmentStandIn() as server:
        server.profiles.known["users/user_id:ann"] = Profile(
            traits={f"trait_{number}": number for number in range(12)}
            | {"plan": "gold\x1b[31m", "tags": ["a"]},
            events=[{**EVENT, "message_id": f"m{number}"} for number in range(3)],
            external_ids=[{"type": "email", "id": "a@example.com", "created_at": "2026-01-01T00:00:00Z"}],
            metadata={"created_at": "2026-01-01T00:00:00Z", "expires_at": None},
            links=[{"to_collection": "accounts", "external_ids": [{"type": "group_id", "id": "acme"}]}],
        )
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("TOKEN", "profile-token")
        monkeypatch.setenv("COLUMNS", "80")
        (tmp_path / "routes.yaml").write_text(ROUTES.format(url=server.url))
        yield server


@pytest.mark.parametrize(
    ("resource", "shown"),
    [
        ("traits", ["trait_11", "plan", "gold\\x1b[31m", '["a"]']),
        ("properties", ["key", "trait_11"]),
        ("external-ids", ["email", "a@example.com", "2026-01-01"]),
        ("events", ["Signed Up", "2026-05-01T12:00:00Z"]),
        ("metadata", ["expires_at", "null"]),
        ("links", ["accounts", "group_id", "acme"]),
    ],
)
def test_every_resource_is_shown_as_a_table_and_as_json(
    resource: str, shown: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["profile", resource, "--id", "user_id:ann"]) == 0
    out = capsys.readouterr().out
    assert all(word in out for word in shown), out
    assert max(map(len, out.splitlines())) <= 80
    assert run(["profile", resource, "--id", "user_id:ann", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["found"]
    assert found[resource.replace("-", "_")]


def test_parameters_are_options(segment: SegmentStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    options = "--include a,b --include c --exclude d --sort asc --start 2026-04-01 --end 2026-06-01 --limit 2"
    assert run(["profile", "events", "--id", "user_id:ann", *options.split(), "--collection", "users"]) == 0
    assert "The profile has none." in capsys.readouterr().out
    assert segment.requests[0].query == (
        "include=a,b,c&exclude=d&sort=asc&start=2026-04-01&end=2026-06-01&limit=2"
    )
    options = "--class audience --verbose --max-items 7 --next plan --connection crm"
    assert run(["profile", "traits", "--id", "user_id:ann", *options.split()]) == 0
    assert segment.requests[1].query == "class=audience&verbose=true&limit=7&next=plan"


def test_pages_are_followed_and_what_is_left_is_said(
    segment: SegmentStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        run(["profile", "traits", "--id", "user_id:ann", "--limit", "5", "--max-items", "8", "--json"]) == 0
    )
    assert len(json.loads(capsys.readouterr().out)["traits"]) == 8
    assert len(segment.requests) == 2
    assert run(["profile", "traits", "--id", "user_id:ann", "--limit", "5"]) == 0
    assert "There are more: --next trait_11, or a higher --max-items." in capsys.readouterr().err


def test_no_such_profile_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["profile", "traits", "--id", "user_id:bob"]) == 1
    assert "No profile in users has the id user_id:bob." in capsys.readouterr().err
    assert run(["profile", "traits", "--id", "user_id:bob", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["found"] is False


def test_all_that_is_wrong_is_said_at_once(
    segment: SegmentStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["profile", "events", "--id", "ann", "--start", "lately", "--max-items", "0"]) == 2
    said = capsys.readouterr().err
    assert "--id: write <type>:<value>, such as user_id:42\n--start: must be ISO 8601" in said
    assert "--max-items: must be a whole number" in said
    assert segment.requests == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--connection", "cm"], "connections: no connection is called cm; there are: crm"),
        (["--connection", "web"], "the connection web has no profile_token_env; there are: crm"),
    ],
)
def test_a_connection_that_cannot_do_it(
    options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["profile", "traits", "--id", "user_id:ann", *options]) == 2
    assert said in capsys.readouterr().err


def test_a_wrong_token_and_a_busy_space(segment: SegmentStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    segment.profiles.token = "another"
    assert run(["profile", "traits", "--id", "user_id:ann"]) == 1
    assert "answered 401: authentication_error" in capsys.readouterr().err
    segment.profiles.token, segment.profiles.per_second, segment.profiles.retry_after = (
        "profile-token",
        0,
        "7",
    )
    assert run(["profile", "traits", "--id", "user_id:ann"]) == 1
    assert "answered 429: rate_limit_error" in (said := capsys.readouterr().err)
    assert "try again in 7 s" in said


def test_a_dry_run_sends_nothing_and_masks_the_token(
    segment: SegmentStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["profile", "traits", "--id", "phone:+49 30/1", "--include", "plan", "--dry-run"]
    assert run(command) == 0
    target = "/v1/spaces/space/collections/users/profiles/phone:%2B49%2030%2F1/traits?include=plan&limit=100"
    assert capsys.readouterr().out.splitlines() == [
        f"GET {segment.url}{target}",
        "Authorization: Basic ***",
        "Accept: application/json",
    ]
    assert run([*command, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["method"], shown["body"]) == ("GET", None)
    assert shown["headers"]["Authorization"] == "Basic ***"
    assert segment.requests == []


def test_answers_that_cannot_be_read(segment: SegmentStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    segment.then(Answer(behaviour="reset"))
    assert run(["profile", "traits", "--id", "user_id:ann"]) == 1
    assert "cannot send to" in capsys.readouterr().err
    segment.then(Answer(body=b"<html>"))
    assert run(["profile", "traits", "--id", "user_id:ann"]) == 1
    assert "no JSON object" in capsys.readouterr().err
