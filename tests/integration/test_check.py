"""`hookyard check` and `hookyard schema`: the file, and the handlers in a process of their own."""

import json
from pathlib import Path

import pytest

from receiver.cli.main import run

GOOD = """
sources:
  shop:
    verify: {scheme: segment, secret_env: SHOP_SECRET}
  open:
    verify: {scheme: none}
  both:
    verify:
      - {scheme: segment, secret_env: SHOP_SECRET}
      - {scheme: header, name: X-Token, secret_env: SHOP_SECRET}
routes:
  all-orders:
    events: ["Order *"]
    steps:
      - handler: flows.orders:thank
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOP_SECRET", "s3cret")
    (tmp_path / "routes.yaml").write_text(GOOD)
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows/orders.py").write_text("def thank(message, context): ...\n")
    return tmp_path


def test_a_good_file_is_summed_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check"]) == 0
    shown = capsys.readouterr()
    assert "/hooks/shop" in shown.out
    assert "segment and header" in shown.out
    assert "all-orders" in shown.out
    assert "is good: 3 paths, 1 route." in shown.out
    assert "warning" in shown.err


def test_problems_of_the_file_are_shown_at_once(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "other.yaml").write_text(
        GOOD.replace("events", "evnts").replace("scheme: none", "scheme: nine")
    )
    assert run(["check", "other.yaml"]) == 2
    problems = capsys.readouterr().err
    assert "evnts" in problems
    assert "nine" in problems
    assert "other.yaml:" in problems


@pytest.mark.parametrize("code", ["def thnk(m, c): ...", "raise OSError('broken import')", "def f(:"])
def test_a_handler_that_cannot_be_used_is_a_problem(
    project: Path, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "flows/orders.py").write_text(code)
    assert run(["check"]) == 2
    assert "flows.orders" in capsys.readouterr().err


def test_an_unset_secret_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SHOP_SECRET")
    assert run(["check"]) == 2
    assert "SHOP_SECRET" in capsys.readouterr().err


def test_secrets_made_by_dev_count(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOP_SECRET")
    (project / ".hookyard").mkdir()
    (project / ".hookyard/dev-secrets.json").write_text('{"SHOP_SECRET": "made"}')
    assert run(["check"]) == 0


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"]
    assert told["routes"] == ["all-orders"]
    assert told["paths"] == {"shop": "shop", "open": "open", "both": "both"}
    assert run(["check", "--json", "missing.yaml"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert not told["ok"]
    assert "missing.yaml" in told["problems"][0]


def test_the_schema_is_json_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert {"sources", "routes"} <= schema["properties"].keys()
