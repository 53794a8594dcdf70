"""RQ's entry points, and nothing else: each runs in a work horse that was forked with everything loaded."""

import asyncio
import gc
import logging
import os
import signal
import threading
from collections.abc import Callable
from typing import Protocol

import uvloop

from workers import setup
from workers.drain import Drain
from workers.replay import Replay
from workers.setup import Setup

log = logging.getLogger("hookyard.drain")

LAST_S = 1.0
"""For what is left of a drain's tasks to end."""

prepared: Setup | None = None
"""Set by `workers.main` before RQ forks; a job that some other RQ worker runs loads for itself."""

COLLECT_EVERY = 20_000
"""Objects made and kept between two looks of the garbage collector. Its default of 700 is a few deliveries
in flight, and took a fifth of a drain's time."""


told_to_hand_over = threading.Event()
"""Set when the signal came before the work horse had a loop to hear it."""


class Job(Protocol):
    """What a work horse runs."""

    def stop(self) -> None: ...

    def hand_over(self) -> None: ...

    async def run(self) -> None: ...


def drain(queue: str, drain_id: str) -> None:
    """Work a queue's backlogs for one stretch of duty."""
    _run(lambda ready: Drain(queue, drain_id, ready, worker=os.environ.get("RQ_WORKER_ID", "")))


def replay(replay_id: int, owner: str) -> None:
    """Walk one replay from where it stands."""
    _run(lambda ready: Replay(replay_id, owner, ready))


async def _leave_stubborn() -> None:
    """A handler that swallows its cancellation would keep the loop, and so the process, for ever."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left and (await asyncio.wait(left, timeout=LAST_S))[1]:
        log.warning("handlers that swallow their cancellation are ended with their process")
        os._exit(0)


def _run(make: Callable[[Setup], Job]) -> None:
    # RQ's alarm cannot stop an event loop, and would end a handler in the middle: deadlines are our own.
    signal.setitimer(signal.ITIMER_REAL, 0)
    ready = prepared or setup.load()
    gc.freeze()  # what is loaded by now stays: no need to look through it again
    gc.set_threshold(COLLECT_EVERY)

    async def main() -> None:
        job = make(ready)
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, job.stop)
        loop.add_signal_handler(signal.SIGHUP, job.hand_over)
        if told_to_hand_over.is_set():
            job.hand_over()
        await job.run()
        await _leave_stubborn()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
