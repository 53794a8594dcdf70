"""What a supervisor takes up: only what stood still, was parsed, and whose handlers somebody imported."""

import subprocess
from pathlib import Path

import pytest

from receiver.core.clock import SYSTEM
from receiver.core.following import Following
from receiver.core.routes_file import Loaded, loaded
from tests.support.processes import until
from tests.support.time import FakeClock
from workers import reloading
from workers.given import CHECKED
from workers.reloading import Reloading

ROUTES = "sources: {{shop: {{verify: {{scheme: none}}}}}}\nroutes:\n  {name}: {{steps: [handler: m.n:f]}}\n"
GOOD = f"echo hello; echo {CHECKED}"


class Trials:
    """In the place of the process that imports the handlers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.command = GOOD
        self.texts: list[str] = []
        monkeypatch.setattr(reloading, "start", self._start)

    def _start(self, arguments: object, text: str, **how: object) -> "subprocess.Popen[bytes]":
        self.texts.append(text)
        return subprocess.Popen(["/bin/sh", "-c", self.command], stdout=how["output"], stderr=how["output"])  # type: ignore[call-overload,no-any-return]


@pytest.fixture
def trials(monkeypatch: pytest.MonkeyPatch) -> Trials:
    return Trials(monkeypatch)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "routes.yaml"
    path.write_text(ROUTES.format(name="first"))
    return path


class Side:
    """A supervisor's share of it."""

    def __init__(self, path: Path, *, led: bool = False) -> None:
        self.clock = FakeClock()
        self.following = Following(path, {}, loaded(path, {}))
        self.reloading = Reloading(self.following, self.clock, led=led)
        self.later()
        self.later()

    def later(self) -> Loaded | None:
        self.clock.forward(1.0)
        return self.reloading.look()

    def until_judged(self) -> Loaded | None:
        """What came of a trial."""
        before, found = (self.following.in_force, self.following.refused), None

        def judged() -> bool:
            nonlocal found
            found = found or self.reloading.look()
            return (self.following.in_force, self.following.refused) != before

        until(judged, 5, what="the end of the trial")
        return found


def test_a_change_is_tried_before_it_is_taken_up(path: Path, trials: Trials) -> None:
    side = Side(path)
    path.write_text(ROUTES.format(name="second"))
    assert side.later() is None
    assert side.later() is None
    found = side.until_judged()
    assert found is not None
    assert (list(found.config.routes), trials.texts) == (["second"], [found.text])


def test_handlers_that_do_not_import_keep_it_out(path: Path, trials: Trials) -> None:
    side = Side(path)
    trials.command = "echo; echo routes.yaml:3: no module m; exit 2"
    path.write_text(ROUTES.format(name="second"))
    side.later()
    side.later()
    assert side.until_judged() is None
    assert side.following.refused == "routes.yaml:3: no module m"
    assert list(side.following.in_force.config.routes) == ["first"]
    trials.command = GOOD  # the module is there now; the file is what it was
    assert side.later() is None
    side.reloading.tell()
    side.later()
    found = side.until_judged()
    assert found is not None
    assert list(found.config.routes) == ["second"]


def test_a_check_that_hangs_is_ended(path: Path, trials: Trials) -> None:
    side = Side(path)
    trials.command = "exec sleep 60"
    side.reloading.tell()
    side.later()
    side.clock.forward(reloading.CHECK_S)
    assert side.later() is None
    assert "took over 60 s" in side.following.refused


@pytest.mark.parametrize(("command", "code"), [("kill -9 $$", -9), ("echo hello; exit 0", 0)])
def test_a_module_that_ends_the_process_is_not_taken_up(
    path: Path, trials: Trials, command: str, code: int
) -> None:
    side = Side(path)
    trials.command = command
    side.reloading.tell()
    side.later()
    side.until_judged()
    assert (
        side.following.refused
        == f"while the handlers are imported, one of them ends the process, with {code}"
    )


def test_who_is_led_looks_only_when_told_and_tries_nothing(path: Path, trials: Trials) -> None:
    side = Side(path, led=True)
    path.write_text(ROUTES.format(name="second"))
    assert [side.later() for _ in range(3)] == [None] * 3
    side.reloading.tell()
    found = side.later()
    assert found is not None
    assert (list(found.config.routes), trials.texts) == (["second"], [])


def test_a_running_check_ends_with_the_supervisor(path: Path, trials: Trials) -> None:
    side = Side(path)
    trials.command = "exec sleep 60"
    side.reloading.tell()
    began = SYSTEM.monotonic()
    side.later()
    side.reloading.close()
    assert SYSTEM.monotonic() - began < 5
