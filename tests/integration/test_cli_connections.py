"""`hookyard connections check` against a stand-in for Segment."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.cli import connections
from receiver.cli.main import run
from tests.support.destination import Answer
from tests.support.segment_stand_in import SegmentStandIn

ROUTES = """
connections:
  crm:
    write_key_env: KEY
    profile_token_env: TOKEN
    space_id: space
    public_api_token_env: PUBLIC
    region: {{tracking: "{url}", profile: "{url}", public: "{url}"}}
  nowhere: {{write_key_env: KEY, region: {{tracking: "http://127.0.0.1:9"}}}}
"""


@pytest.fixture(autouse=True)
def segment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SegmentStandIn]:
    with SegmentStandIn(key="the-write-key") as server:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("KEY", "the-write-key")
        monkeypatch.setenv("TOKEN", "profile-token")
        monkeypatch.setenv("PUBLIC", "public-token")
        monkeypatch.setenv("COLUMNS", "80")
        (tmp_path / "routes.yaml").write_text(ROUTES.format(url=server.url))
        yield server


def checked(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, tuple[str, str]]]:
    """The exit code, and per credential of `crm` its result and what was seen."""
    code = run(["connections", "check", "--connection", "crm", "--json", *options])
    said = capsys.readouterr()
    assert not any(secret in said.out + said.err for secret in ("the-write-key", "-token"))
    lines = [json.loads(line) for line in said.out.splitlines()]
    return code, {line["credential"]: (line["result"], line["detail"]) for line in lines}


def test_good_credentials(segment: SegmentStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = checked(capsys)
    assert code == 0
    assert found["write_key_env"][0] == "unproven"
    assert "Segment answers 200 to any key" in found["write_key_env"][1]
    assert found["profile_token_env"] == ("works", "token and space were accepted")
    assert found["public_api_token_env"] == ("works", "workspace Stand-in")
    assert (segment.items, segment.dropped) == ([], [])


def test_wrong_credentials(
    segment: SegmentStandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KEY", "short")
    monkeypatch.setenv("TOKEN", "wrong")
    monkeypatch.setenv("PUBLIC", "wrong")
    code, found = checked(capsys)
    assert code == 1
    assert found["write_key_env"] == (
        "fails",
        "answered 400: invalid_request An invalid write key was provided",
    )
    assert found["profile_token_env"][1].startswith("answered 401: authentication_error")
    assert found["public_api_token_env"] == ("fails", "answered 401: authentication Unauthorized")


def test_a_wrong_space(segment: SegmentStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    segment.profiles.space = "another"
    code, found = checked(capsys)
    assert code == 1
    assert found["profile_token_env"] == ("fails", "answered 404: not_found no such space or resource")


def test_answers_of_something_else(segment: SegmentStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    segment.then(*[Answer(status=404, body=b"<html>hello")] * 3)
    code, found = checked(capsys)
    assert code == 1
    assert {result for result, _ in found.values()} == {"fails"}
    assert found["public_api_token_env"][1] == "answered 404: <html>hello"
    segment.then(*[Answer(body=b"<html>hello")] * 3)
    _, found = checked(capsys)
    assert found["profile_token_env"] == ("fails", "answered 200: <html>hello")
    assert found["public_api_token_env"] == ("fails", "answered 200: <html>hello")


def test_nobody_there_and_no_answer_in_time(
    segment: SegmentStandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["connections", "check", "--connection", "nowhere"]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "nothing listens at http://127.0.0.1:9" in out
    monkeypatch.setattr(connections, "SECONDS", 0.1)
    segment.then(*[Answer(behaviour="hang")] * 3)
    code, found = checked(capsys)
    assert code == 1
    assert all("did not answer within" in detail for _, detail in found.values())


def test_people_get_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["connections", "check"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["connection", "credential", "result", "what", "was", "seen"]
    assert max(map(len, lines)) <= 80
    assert [line.split()[:3] for line in lines if "write_key_env" in line] == [
        ["crm", "write_key_env", "unproven"],
        ["nowhere", "write_key_env", "fails"],
    ]


def test_a_connection_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["connections", "check", "--connection", "cm"]) == 2
    assert "no connection is called cm; there are: crm, nowhere" in capsys.readouterr().err
