"""The processes of one `hookyard dev`, from the first start to the last stop, and what is shown meanwhile."""

import asyncio
import signal
import socket
from collections.abc import Mapping

from receiver.cli import demo, welcome
from receiver.cli.children import Child, Command
from receiver.cli.listen import address
from receiver.cli.reload import Change, InForce, Reloader
from receiver.cli.screen import Screen
from receiver.core.clock import SYSTEM
from receiver.core.embedded import EmbeddedValkey
from receiver.core.errors import StoreUnavailable
from receiver.core.interpreter import OUR_PYTHON
from receiver.core.settings import Settings

RECEIVER_PATIENCE = 15.0
WORKERS_PATIENCE = 10.0
"""Beside HOOKYARD_GRACE."""
VALKEY_PATIENCE = 30.0
"""Seconds each gets to stop."""
START_SECONDS = 30.0
READY_SECONDS = 3.0
ANSWER_SECONDS = 5.0
LOOK_SECONDS = 0.01


class Stage:
    """Starts Valkey, receiver and workers, keeps them running, stops them in the order that loses nothing."""

    def __init__(
        self,
        settings: Settings,
        bound: socket.socket,
        valkey: EmbeddedValkey | None,
        store_url: str,
        screen: Screen,
    ) -> None:
        """`valkey` is None when the store of `store_url` is run by somebody else."""
        self._settings = settings
        self._bound = bound
        self._valkey = valkey
        self._store_url = store_url
        self._screen = screen
        self._children: list[Child] = []
        """In the order they were started."""

    async def run(self, force: InForce, environ: Mapping[str, str], *, show: bool) -> int:
        """Until SIGINT, SIGTERM or SIGHUP. Raises StoreUnavailable when Valkey does not start."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for sent in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(sent, self._asked_to_stop, stop)
        work = asyncio.create_task(self._work(force, environ, show=show))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
        for task in (work, stopped):
            task.cancel()
        (failure, _) = await asyncio.gather(work, stopped, return_exceptions=True)
        for child in reversed(self._children):
            await child.stop()
        if isinstance(failure, Exception):
            raise failure
        self._screen.tell("Stopped.")
        return 0

    async def _work(self, force: InForce, environ: Mapping[str, str], *, show: bool) -> None:
        welcome.tell_secrets(self._screen, force, self._settings)
        if self._valkey is not None:
            await self._start_valkey(self._valkey)
        receiver = self._child("receiver", self._receiver_command(force), RECEIVER_PATIENCE)
        workers = self._child(
            "workers", self._workers_command(force), self._settings.grace + WORKERS_PATIENCE
        )
        # The workers first in the list: the receiver, started last, is stopped first.
        self._children += [workers, receiver]
        since_ms = SYSTEM.now_ms()
        await asyncio.gather(receiver.start(), workers.start())
        base = address(self._bound)
        if await self._first_answer():
            welcome.greet(self._screen, force.config, self._settings, base)
            if show:
                await demo.show(self._screen, force.config, base, self._store_url)
        else:
            await asyncio.to_thread(welcome.explain, self._screen, base, self._environ(force))
        await self._reloader(environ, receiver, workers, since_ms).run(force)

    async def _start_valkey(self, valkey: EmbeddedValkey) -> None:
        command = Command(arguments=valkey.command, environ={}, pass_fds=valkey.pass_fds)
        child = self._child("valkey", command, VALKEY_PATIENCE)
        child.why = lambda code: valkey.why_not() if code > 0 else ""
        self._children.append(child)
        await child.start()
        while not valkey.ready():
            if child.deaths:
                raise StoreUnavailable(f"Valkey does not start; its log is {valkey.files.log}")
            await asyncio.sleep(LOOK_SECONDS)

    def _reloader(
        self, environ: Mapping[str, str], receiver: Child, workers: Child, since_ms: int
    ) -> Reloader:
        async def apply(change: Change) -> None:
            found = change.after
            welcome.tell_secrets(self._screen, found, self._settings)
            names = ", ".join(path.name for path in change.files)
            self._screen.tell(f"Changed: {names}", "green")
            receiver.command, workers.command = self._receiver_command(found), self._workers_command(found)
            routes_changed = self._settings.routes in change.files
            for child, concerned in ((receiver, routes_changed), (workers, True)):
                # A process cannot be given an environment; and one that gave up waits for a new start.
                if found.environ != change.before.environ or not child.runs:
                    await child.restart()
                elif concerned:
                    child.tell(signal.SIGHUP)

        return Reloader(
            routes=self._settings.routes,
            environ=environ,
            data_dir=self._settings.data_dir,
            since_ms=since_ms,
            apply=apply,
            refuse=self._refuse,
        )

    def _refuse(self, changed: str, problems: list[str]) -> None:
        self._screen.tell(f"{changed} changed, but is not valid; what ran before goes on:", "red")
        for problem in problems:
            self._screen.tell(f"  {problem}")

    def _receiver_command(self, force: InForce) -> Command:
        descriptor = self._bound.fileno()
        arguments = [*OUR_PYTHON, "receiver.cli", "receiver", "--fd", str(descriptor)]
        return Command(arguments=arguments, environ=self._environ(force), pass_fds=(descriptor,))

    def _workers_command(self, force: InForce) -> Command:
        return Command(arguments=[*OUR_PYTHON, "workers", "run", "--led"], environ=self._environ(force))

    def _environ(self, force: InForce) -> dict[str, str]:
        return {**force.environ, "HOOKYARD_REDIS_URL": self._store_url, "PYTHONUNBUFFERED": "1"}

    def _child(self, name: str, command: Command, patience: float) -> Child:
        return Child(name, command, self._screen.line, patience)

    async def _first_answer(self) -> bool:
        """Wait for the first 200 of /readyz; not for long once it answered that it is not ready."""
        deadline = SYSTEM.monotonic() + START_SECONDS
        while SYSTEM.monotonic() < deadline:
            status = await _status(self._bound, "/readyz")
            if status == 200:
                return True
            if status:
                deadline = min(deadline, SYSTEM.monotonic() + READY_SECONDS)
            await asyncio.sleep(LOOK_SECONDS)
        return False

    def _asked_to_stop(self, stop: asyncio.Event) -> None:
        if stop.is_set():
            for child in self._children:
                child.kill()
        else:
            self._screen.tell("\nStopping: receiver, workers, Valkey (once more Ctrl-C: at once) …")
            stop.set()


async def _status(bound: socket.socket, path: str) -> int:
    """Status of one GET; 0 when there is no answer."""
    host, _, port = address(bound).removeprefix("http://").rpartition(":")
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
                line = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return 0
    words = line.split()
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
