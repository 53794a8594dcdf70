"""The heartbeat of a drain, in a thread of its own: a handler that blocks the loop must not cost a lease.

It also watches what the loop cannot: whether the parent process is still there, and whether the loop turns.
"""

import asyncio
import logging
import os
import threading
from collections.abc import Callable

from receiver.core import duty, scripts
from receiver.core.clients import connect
from receiver.core.errors import Unavailable
from workers.setup import Setup

log = logging.getLogger("hookyard.heart")

BEAT_S = 2.0
LOOK_S = 0.25
STALLED_S = 120.0
"""A loop that did not turn for so long is blocked by a handler: the process gives up, as after a crash."""
STALLED_EXIT = 70


class Heart:
    """Beats for one drain while its `with` block runs; made inside the running loop.

    `orphaned` is called on the loop when the process that started this one is gone.
    """

    def __init__(self, setup: Setup, *, queue: str, drain: str, orphaned: Callable[[], None]) -> None:
        self._url = setup.url
        self._clock = setup.clock
        self._queue = queue
        self._drain = drain
        self._orphaned = orphaned
        self._loop = asyncio.get_running_loop()
        self._parent = os.getppid()
        self._end = threading.Event()
        self._turned = self._clock.monotonic()
        self._thread = threading.Thread(target=self._run, name=f"heart-{drain}", daemon=True)

    def __enter__(self) -> "Heart":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(timeout=BEAT_S)

    def _run(self) -> None:
        client = connect(self._url)
        next_beat = self._clock.monotonic() + BEAT_S
        while not self._end.wait(LOOK_S):
            now = self._clock.monotonic()
            self._look(now)
            if now >= next_beat:
                try:
                    scripts.run_now(client, duty.beat(self._queue, self._drain, now_ms=self._clock.now_ms()))
                    next_beat = now + BEAT_S
                except Unavailable as error:
                    log.debug("no heartbeat: %s", error)
        client.close()

    def _look(self, now: float) -> None:
        if now - self._turned > STALLED_S:
            log.critical("a handler blocks the event loop for %d s: giving up this process", STALLED_S)
            os._exit(STALLED_EXIT)
        try:
            self._loop.call_soon_threadsafe(self._turn)
            if os.getppid() != self._parent:
                self._loop.call_soon_threadsafe(self._orphaned)
        except RuntimeError:
            self._end.set()  # the loop is closed: the drain is over

    def _turn(self) -> None:
        self._turned = self._clock.monotonic()
