"""`hookyard send` against a server that records."""

import hashlib
import hmac
import io
import json
import socket
from pathlib import Path

import pytest

from receiver.cli.main import run
from tests.support import segment
from tests.support.recorder import Recorder

ROUTES = """
sources:
  shop:
    verify: {scheme: segment, secret_env: SHOP_SECRET}
routes: {}
"""
TWO_SOURCES = """
sources:
  shop:
    verify: {scheme: segment, secret_env: SHOP_SECRET}
  app:
    verify: {scheme: none}
    paths: {mobile/app: all}
routes: {}
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a routes.yaml and the secret of its source."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOP_SECRET", "s3cret")
    (tmp_path / "routes.yaml").write_text(ROUTES)
    return tmp_path


def file_of(project: Path, *bodies: bytes) -> str:
    path = project / "m.jsonl"
    path.write_bytes(b"\n".join(bodies) + b"\n")
    return str(path)


def signature(body: bytes) -> str:
    return hmac.new(b"s3cret", body, hashlib.sha1).hexdigest()


def test_messages_go_out_as_segment_sends_them(
    project: Path, recorder: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["send", file_of(project, *segment.LINES), "--url", recorder.url]) == 0
    assert [request.body for request in recorder.requests] == list(segment.LINES)
    first = recorder.requests[0].headers
    assert first["x-signature"] == signature(segment.line(1))
    assert first["content-type"] == "application/json"
    assert first["user-agent"] == "Segment.io/1.0"
    batch = recorder.requests[36].headers
    assert batch["x-signature"] == signature(segment.line(2))
    shown = capsys.readouterr().out
    assert "38" in shown
    assert "200" in shown


def test_batches_are_made_of_what_is_there(project: Path, recorder: Recorder) -> None:
    assert run(["send", file_of(project, *segment.LINES), "--url", recorder.url, "--batch", "20"]) == 0
    sizes = [len(json.loads(request.body)) for request in recorder.requests]
    assert sizes == [20, 20, 1]
    assert recorder.requests[0].headers["x-signature"] == signature(segment.line(1))


def test_unsigned_when_asked(project: Path, recorder: Recorder) -> None:
    assert run(["send", file_of(project, b"{}"), "--url", recorder.url, "--no-sign"]) == 0
    assert "x-signature" not in recorder.requests[0].headers


def test_unsigned_to_a_url_needs_no_routes_file(project: Path, recorder: Recorder) -> None:
    (project / "routes.yaml").unlink()
    assert run(["send", file_of(project, b"{}"), "--url", recorder.url, "--no-sign"]) == 0


def test_standard_input(project: Path, recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'{\n "type": "track"\n}')))
    assert run(["send", "-", "--url", recorder.url]) == 0
    assert recorder.requests[0].body == b'{"type":"track"}'


def test_a_refusal_is_shown_and_exits_1(
    project: Path, recorder: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder.answers = [(401, {"success": False, "code": "signature_mismatch", "message": "no match"})]
    assert run(["send", file_of(project, segment.line(2)), "--url", recorder.url]) == 1
    shown = capsys.readouterr().out
    assert "track Signed Up" in shown
    assert "401 signature_mismatch no match" in shown


def test_json_is_a_line_a_request(
    project: Path, recorder: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder.answers = [(200, {"success": True}), (500, b"<html>oh")]
    assert run(["send", file_of(project, segment.line(2), b'{"a":1}'), "--url", recorder.url, "--json"]) == 1
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (first["sent"], first["status"], first["code"]) == ("track Signed Up", 200, "")
    assert (second["sent"], second["status"], second["message"]) == ("object without a type", 500, "<html>oh")


def test_the_address_is_this_machines_receiver(
    project: Path, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOKYARD_PORT", recorder.url.split(":")[2].split("/")[0])
    (project / "routes.yaml").write_text(TWO_SOURCES)
    file = file_of(project, b"{}")
    assert run(["send", file, "--source", "app"]) == 0
    assert run(["send", file, "--source", "shop"]) == 0
    assert [request.path for request in recorder.requests] == ["/hooks/mobile/app", "/hooks/shop"]
    assert ["x-signature" in request.headers for request in recorder.requests] == [False, True]


@pytest.mark.parametrize(("options", "said"), [([], "choose one"), (["--source", "shp"], "no source 'shp'")])
def test_a_source_that_cannot_be_told_exits_2(
    project: Path, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "routes.yaml").write_text(TWO_SOURCES)
    assert run(["send", file_of(project, b"{}"), *options]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "shop, app" in error


def test_nobody_there_says_what_to_start(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HOOKYARD_PORT", str(unused.getsockname()[1]))
        assert run(["send", file_of(project, b"{}")]) == 1
    assert "hookyard receiver" in capsys.readouterr().err


def test_a_file_that_is_no_json_exits_1(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["send", file_of(project, b"{}", b"nope"), "--url", "http://127.0.0.1:1/", "--no-sign"]) == 1
    assert run(["send", str(project / "missing.json")]) == 2
