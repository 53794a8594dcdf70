"""Child processes of `hookyard dev`: started, restarted with back-off when they die, stopped for certain.

Each child leads a session of its own, so that Ctrl-C in the terminal reaches only us and we choose the order
in which they stop. What a child started in its session and left behind is ended with it.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from receiver.core.clock import SYSTEM, Clock
from receiver.core.tether import tether

Say = Callable[[str, str], None]
"""Name of the child, one line of text."""

BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
STEADY_SECONDS = 10.0
"""A child that ran so long starts again at the shortest back-off."""
CONFIG_EXIT = 2
"""A child that ends with it refused its configuration: another start would end the same way."""
LONGEST_LINE = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """How to start a child."""

    arguments: Sequence[str]
    environ: Mapping[str, str]
    pass_fds: tuple[int, ...] = ()


@dataclass(slots=True)
class Child:
    """One child; `start` it, then `stop` it. `command` may be replaced before a `restart`."""

    name: str
    command: Command
    say: Say
    patience: float
    """Seconds it gets to end after SIGTERM."""
    why: Callable[[int], str] = lambda code: ""
    """What is known of a death with this code, for a child that logs elsewhere."""
    clock: Clock = SYSTEM
    deaths: int = 0
    """How often it ended by itself since it last ran steadily."""
    _process: asyncio.subprocess.Process | None = None
    _keeper: asyncio.Task[None] | None = None
    _again: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def tell(self, sent: signal.Signals) -> None:
        """Send it a signal; one that just died hears of it at its next start."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(sent)

    async def start(self) -> None:
        """Start it; from now on it is kept running."""
        self.deaths = 0
        await self._spawn()
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """SIGTERM, patience, then SIGKILL for all that is left of its session."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        process, self._process = self._process, None
        if process is not None:
            await self._end(process)

    async def restart(self) -> None:
        """Stop it in peace and start it by the present `command`."""
        await self.stop()
        await self.start()

    def kill(self) -> None:
        """SIGKILL, without waiting: for a second Ctrl-C."""
        if self._process is not None:
            _signal_group(self._process.pid, signal.SIGKILL)

    async def _spawn(self) -> None:
        reading, writing = os.pipe()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self.command.arguments,
                env=dict(self.command.environ),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                pass_fds=self.command.pass_fds,
                start_new_session=True,
                preexec_fn=tether(),
            )
        finally:
            os.close(writing)
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: _Lines(self.name, self.say), os.fdopen(reading, "rb", 0))

    async def _keep(self) -> None:
        """Start it again whenever it ends; cancelled by `stop`."""
        while self._process is not None:
            process, begun = self._process, self.clock.monotonic()
            code = await process.wait()
            _signal_group(process.pid, signal.SIGTERM)
            steady = self.clock.monotonic() - begun > STEADY_SECONDS
            self.deaths = 1 if steady else self.deaths + 1
            reason = self.why(code) or _ended(code)
            if code == CONFIG_EXIT:
                self.say(self.name, f"{reason}; waits for a change")
                return
            pause = BACKOFF_SECONDS[min(self.deaths, len(BACKOFF_SECONDS)) - 1]
            self.say(self.name, f"{reason}; starts again in {pause:g} s")
            await asyncio.sleep(pause)
            await self._spawn()

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), self.patience)
            except TimeoutError:
                self.say(self.name, f"did not end within {self.patience:g} s and is killed")
                _signal_group(process.pid, signal.SIGKILL)
                await process.wait()
        _signal_group(process.pid, signal.SIGKILL)


class _Lines(asyncio.Protocol):
    """Cuts what a child writes into lines."""

    def __init__(self, name: str, say: Say) -> None:
        self._name = name
        self._say = say
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        *lines, rest = (self._rest + data).split(b"\n")
        if len(rest) > LONGEST_LINE:
            lines, rest = [*lines, rest], b""
        for line in lines:
            self._tell(line)
        self._rest = rest

    def connection_lost(self, error: Exception | None) -> None:
        self._tell(self._rest)

    def _tell(self, line: bytes) -> None:
        if line.strip():
            self._say(self._name, line.decode(errors="replace").rstrip())


def _signal_group(leader: int, sent: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, sent)


def _ended(code: int) -> str:
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"was ended by {signal.Signals(-code).name}"
    return f"ended with code {code}"
