"""Child processes of `hookyard dev`: real ones, small and odd."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from receiver.cli import children
from receiver.cli.children import Child, Command
from tests.support.processes import alive, until

WAIT_SECONDS = 10.0
FOREVER = "import signal; print('up', flush=True); signal.pause()"


@dataclass
class Heard:
    """What children said, and a way to wait for it."""

    lines: list[str] = field(default_factory=list)
    more: asyncio.Event = field(default_factory=asyncio.Event)

    def say(self, name: str, line: str) -> None:
        self.lines.append(line)
        self.more.set()

    async def until(self, wanted: Callable[[list[str]], bool]) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            while not wanted(self.lines):
                self.more.clear()
                await self.more.wait()


def child(heard: Heard, code: str, patience: float = 5.0) -> Child:
    command = Command(arguments=[sys.executable, "-c", code], environ=dict(os.environ))
    return Child("child", command, heard.say, patience)


def run(test: Callable[[Heard], Awaitable[None]]) -> None:
    async def with_heard() -> None:
        await test(Heard())

    asyncio.run(with_heard())


def test_lines_of_both_streams_are_told_one_by_one() -> None:
    code = "import sys\nprint('one\\n\\ntwo', flush=True)\nsys.stderr.write('three\\n')\n" + FOREVER

    async def test(heard: Heard) -> None:
        made = child(heard, code)
        await made.start()
        await heard.until(lambda lines: "up" in lines)
        await made.stop()
        assert heard.lines == ["one", "two", "three", "up"]

    run(test)


def test_a_child_that_dies_is_started_again_and_said() -> None:
    async def test(heard: Heard) -> None:
        made = child(heard, FOREVER)
        await made.start()
        await heard.until(lambda lines: "up" in lines)
        first = made.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await heard.until(lambda lines: lines.count("up") == 2)
        assert made.pid != first
        assert "was ended by SIGKILL; starts again in 0.2 s" in heard.lines
        await made.stop()

    run(test)


def test_the_pauses_between_deaths_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "BACKOFF_SECONDS", (0.01, 0.02, 0.03))

    async def test(heard: Heard) -> None:
        made = child(heard, "raise SystemExit(3)")
        await made.start()
        await heard.until(lambda lines: len(lines) >= 4)
        await made.stop()
        assert [line.split()[-2] for line in heard.lines[:4]] == ["0.01", "0.02", "0.03", "0.03"]
        assert "ended with code 3" in heard.lines[0]

    run(test)


def test_a_refused_configuration_is_not_tried_again() -> None:
    async def test(heard: Heard) -> None:
        made = child(heard, "raise SystemExit(2)")
        await made.start()
        await heard.until(lambda lines: bool(lines))
        assert heard.lines == ["ended with code 2; waits for a change"]
        made.command = child(heard, FOREVER).command
        await made.restart()
        await heard.until(lambda lines: "up" in lines)
        await made.stop()

    run(test)


def test_a_child_that_ignores_sigterm_is_killed() -> None:
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + FOREVER

    async def test(heard: Heard) -> None:
        made = child(heard, code, patience=0.1)
        await made.start()
        await heard.until(lambda lines: "up" in lines)
        pid = made.pid
        assert pid is not None
        await made.stop()
        assert not alive(pid)
        assert "is killed" in heard.lines[-1]

    run(test)


def test_what_a_child_left_behind_is_ended_with_it() -> None:
    code = (
        "import subprocess, sys\n"
        "left = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])\n"
        "print(left.pid, flush=True)\n" + FOREVER
    )

    async def test(heard: Heard) -> None:
        made = child(heard, code)
        await made.start()
        await heard.until(lambda lines: "up" in lines)
        left = int(heard.lines[0])
        assert alive(left)
        await made.stop()
        until(lambda: not alive(left))

    run(test)


def test_a_child_killed_at_once_is_gone() -> None:
    async def test(heard: Heard) -> None:
        made = child(heard, FOREVER, patience=60.0)
        await made.start()
        await heard.until(lambda lines: "up" in lines)
        made.kill()
        await made.stop()
        assert made.pid is None

    run(test)


def test_stop_without_start_does_nothing() -> None:
    async def test(heard: Heard) -> None:
        await child(heard, FOREVER).stop()

    run(test)
