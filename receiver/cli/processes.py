"""Several receiver processes on one socket: kept alive, told of SIGHUP, begun by the last good file."""

import os
import signal
from collections.abc import Callable
from socket import socket

import uvicorn
from uvicorn.supervisors import Multiprocess

from receiver.core.following import Following
from receiver.core.routes_file import Loaded


class Processes(Multiprocess):
    """uvicorn's supervisor, but that SIGHUP replaces no process: each takes up the file itself."""

    def __init__(
        self, made: Callable[[str], uvicorn.Config], sockets: list[socket], following: Following
    ) -> None:
        """`made`: from the text of routes.yaml, how to run a process by it."""
        super().__init__(made(following.in_force.text), sockets)
        self._made = made
        self._following = following

    def keep_subprocess_alive(self) -> None:
        """A process that died is started by what the others serve by, whatever the file says just now. What
        is wrong with it they say themselves."""
        found = self._following.look()
        if isinstance(found, Loaded):
            self._following.take_up(found)
            self.config = self._made(found.text)
        super().keep_subprocess_alive()

    def handle_hup(self) -> None:
        """One that is not ready yet has just been started, and looks at the file by itself."""
        for process in self.processes:
            if process.pid is not None and process.is_ready():
                os.kill(process.pid, signal.SIGHUP)
