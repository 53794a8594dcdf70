"""Takes up a changed routes.yaml while the receiver runs: on SIGHUP at once, else when a look finds it."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from receiver.beside import beside
from receiver.core.errors import ConfigError
from receiver.core.following import LOOK_S, Following
from receiver.core.routes import Config

log = logging.getLogger("hookyard.config")


class Reloading:
    """Follows one file for one process. Reading it, which may take a second, is left to a thread."""

    def __init__(self, following: Following, *, looks: bool = True) -> None:
        """`looks`: whether to look without being told to."""
        self.following = following
        self._looks = looks
        self._told = asyncio.Event()

    @asynccontextmanager
    async def running(self, use: Callable[[Config], None]) -> AsyncIterator[None]:
        """Inside, `use` is called with each config to serve by from then on. In the main thread only, because
        of the signal."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._told.set)
        try:
            async with beside(self._run(use)):
                yield
        finally:
            loop.remove_signal_handler(signal.SIGHUP)

    async def _run(self, use: Callable[[Config], None]) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S if self._looks else None):
                    await self._told.wait()
            try:
                await self._look(use)
            except Exception:  # the next change must be taken up all the same
                log.exception("looking at routes.yaml failed")

    async def _look(self, use: Callable[[Config], None]) -> None:
        told = self._told.is_set()
        self._told.clear()
        found = await asyncio.to_thread(self.following.read if told else self.following.look)
        if found is None:
            return
        if isinstance(found, ConfigError):
            self.following.refuse(found.problems)
            return
        before = self.following.in_force.config.version
        use(found.config)
        self.following.take_up(found)
        for warning in found.config.warnings:
            log.warning(str(warning))
        log.info("routes.yaml in force", extra={"version": found.config.version, "before": before})
