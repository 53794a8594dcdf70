"""`hookyard check` and `hookyard schema`: the file, and the handlers in a process of their own."""

import json
import os
from pathlib import Path

import pytest

from receiver.cli.handler_check import try_handlers
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


MODULES = [
    ("while True: pass", "does it loop or wait while it is imported? ("),
    ("print('noise'); raise SystemExit('enough')", "SystemExit: enough"),
    ("import os; os._exit(0)", "ends the process, or never comes back"),
    ("raise KeyboardInterrupt('me')", "KeyboardInterrupt: me"),
    ("raise GeneratorExit", "GeneratorExit"),
]


def test_whatever_modules_do_while_they_are_imported(project: Path) -> None:
    """All are named, each at its place, and the good one before them is not."""
    text = GOOD
    for number, (code, _) in enumerate(MODULES):
        (project / f"flows/m{number}.py").write_text(f"{code}\ndef thank(message): ...\n")
        text += f"      - {{handler: 'flows.m{number}:thank', as: s{number}}}\n"
    (project / "routes.yaml").write_text(text)
    problems = try_handlers(Path("routes.yaml"), os.environ, limit_s=0.3).problems
    assert len(problems) == len(MODULES)
    for number, (_, said) in enumerate(MODULES):
        place = f"routes.yaml:{16 + number}: routes.all-orders.steps[{1 + number}].handler: "
        assert str(problems[number]).startswith(f"{place}handler 'flows.m{number}:thank': ")
        assert said in str(problems[number])


def test_threads_that_a_module_starts_hold_nothing_up(project: Path) -> None:
    code = "import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()\n"
    (project / "flows/orders.py").write_text(code + "def thank(message): ...\n")
    tried = try_handlers(Path("routes.yaml"), os.environ)
    assert not tried.problems
    assert tried.files == {Path("flows/orders.py")}


def test_problems_of_the_file_and_of_its_handlers_come_together(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "routes.yaml").write_text(GOOD.replace("thank", "thnk") + "    retry: often\n")
    assert run(["check"]) == 2
    first, second = [line for line in capsys.readouterr().err.splitlines() if line.startswith("routes.yaml")]
    assert first.startswith("routes.yaml:15: routes.all-orders.steps[0].handler: handler 'flows.orders:thnk'")
    assert second.startswith("routes.yaml:16: routes.all-orders.retry: must be standard or segment")


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
