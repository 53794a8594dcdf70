"""The command's frame: what it imports, how errors leave it."""

import subprocess
import sys

import click
import pytest
from redis.exceptions import AuthenticationError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError

from receiver.cli import main
from receiver.cli.main import COMMANDS, LazyCommand, cli, run
from receiver.core.errors import ConfigError, Problem, StoreUnavailable


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """`hookyard boom` raises it."""

    @click.command()
    def boom() -> None:
        raise error

    monkeypatch.setitem(cli.commands, "boom", boom)


def test_help_loads_no_command_and_no_library_of_one() -> None:
    script = (
        "import sys; from receiver.cli.main import run; run(['--help']);"
        "print([name for name in ('rich', 'redis', 'pydantic', 'uvicorn') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"
    listed = [line.split()[0] for line in ended.stdout.partition("Commands:")[2].splitlines() if line.strip()]
    assert listed[:-1] == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_line_of_the_table_is_the_first_line_of_the_commands_own_help(name: str) -> None:
    lazy = cli.commands[name]
    assert isinstance(lazy, LazyCommand)
    command = lazy.load()
    assert command.name == name
    assert command.help is not None
    assert command.help.partition("\n")[0] == COMMANDS[name][1]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help_that_fits_the_terminal(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    assert max(len(line) for line in capsys.readouterr().out.splitlines()) <= 100


def test_a_config_error_shows_all_problems_and_exits_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    problems = [Problem("routes.yaml", 3, "sources.shop", "bad"), Problem("environment", None, "X", "unset")]
    raising(monkeypatch, ConfigError(problems))
    assert run(["boom"]) == 2
    assert capsys.readouterr().err == "routes.yaml:3: sources.shop: bad\nenvironment: X: unset\n"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (StoreUnavailable("the store is away"), "the store is away"),
        (RedisConnectionError("Connection refused"), "Redis does not answer: Connection refused"),
        (AuthenticationError("no password"), "Redis does not answer: no password"),
        (ResponseError("READONLY"), "Redis refused: READONLY"),
        (click.ClickException("file x: no"), "file x: no"),
    ],
)
def test_a_failure_is_one_sentence_and_exits_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, sentence: str
) -> None:
    raising(monkeypatch, error)
    assert run(["boom"]) == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_ctrl_c_is_no_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    raising(monkeypatch, KeyboardInterrupt())
    assert run(["boom"]) == 130
    assert capsys.readouterr().err.strip() == ""


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    raising(monkeypatch, ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        run(["boom"])


def test_wrong_use_exits_2_and_suggests(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["chek"]) == 2
    assert "check" in capsys.readouterr().err


def test_the_exit_code_of_a_command_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cli.commands, "one", click.Command("one", callback=lambda: 1))
    monkeypatch.setitem(cli.commands, "none", click.Command("none", callback=lambda: None))
    assert (run(["one"]), run(["none"])) == (1, 0)


def test_main_exits_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["hookyard", "no-such-command"])
    with pytest.raises(SystemExit, match="2"):
        main.main()
