"""Options that name things: what is wrong with them is said before the store is asked."""

import click
import pytest

from receiver.cli.main import run
from receiver.cli.replay import _rate
from receiver.core.message import Status


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["messages", "--status", "ded"], "no status is called ded; did you mean dead?"),
        (["messages", "--type", "trak"], "no type is called trak; did you mean track?"),
        (["messages", "--since", "soon"], "'soon' is no time"),
        (["messages", "--event", "[a"], "has no closing `]`"),
        (["messages", "--limit", "0"], "--limit"),
        (
            ["messages", "--where", "type == 'track'"],
            "FQL writes = for == (at character 6) type ==",
        ),
        (["tail", "--where", ""], "the statement is empty"),
        (["replay", "--where", "a and"], "missing before the end"),
        (["replay"], "say which messages"),
        (["replay", "--since", "1h", "--rate", "fast"], "'fast' is no rate; write for example 50, 50/s"),
        (["replay", "--since", "1h", "--rate", "0"], "'0' is no rate"),
        (["dead", "retry"], "say which: --all"),
        (["dead", "retry", "--all", "--route", "crm"], "say which: --all"),
        (["dead", "--route", "crm", "retry", "--all"], "write them behind it"),
        (["replays", "--json", "cancel", "1"], "write them behind it"),
        (["routes", "--json", "pause", "crm"], "write them behind it"),
        (["message", "msg_1", "--raw", "--json"], "do not go together"),
        (["routes", "resum", "crm"], "Did you mean 'resume'?"),
    ],
)
def test_wrong_use_exits_2_and_says_what_is_meant(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOKYARD_REDIS_URL", "redis://127.0.0.1:1")
    assert run(arguments) == 2
    assert sentence in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("command", ["messages", "tail", "dead", "replays", "routes"])
def test_a_store_that_is_away_is_one_sentence_and_exits_1(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOKYARD_REDIS_URL", "redis://127.0.0.1:1")
    assert run([command]) == 1
    said = capsys.readouterr()
    assert "Redis" in said.err
    assert len(said.err.splitlines()) == 1
    assert said.out == ""


def test_no_store_at_all_is_a_matter_of_configuration(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.chdir(str(tmp_path))
    assert run(["messages"]) == 2
    assert "hookyard dev" in capsys.readouterr().err
    monkeypatch.setenv("HOOKYARD_REDIS_URL", "redis://127.0.0.1:nonsense")
    assert run(["messages"]) == 2
    assert "HOOKYARD_REDIS_URL" in capsys.readouterr().err


@pytest.mark.parametrize(("text", "rate"), [("50", 50.0), ("50/s", 50.0), ("600/m", 10.0), ("1.8/h", 0.0005)])
def test_rates(text: str, rate: float) -> None:
    param = click.Option(["--rate"])
    assert _rate(click.Context(click.Command("x")), param, text) == pytest.approx(rate)


def test_every_status_is_named_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["messages", "--help"]) == 0
    text = capsys.readouterr().out
    assert all(status in text for status in Status)
