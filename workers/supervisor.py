"""Keeps the worker processes alive: N a queue, one more while a drain hands over, one on demand for
quarantine and replays. Restarts what dies, with a growing pause; frees duty and leases of a dead worker.

A process works by one configuration all its life. When another one is taken up, drains hand over to processes
that were started by it: so modules are never loaded twice, and what runs ends by the one it began with.
"""

import logging
import os
import signal
import socket
import subprocess
import uuid
from dataclasses import replace

from receiver.core.clock import pause
from receiver.core.following import Following
from receiver.core.routes_file import Loaded
from receiver.core.tether import tether
from workers import given, setup
from workers.places import QUICK_S, Child, Place
from workers.reloading import Reloading
from workers.setup import Setup
from workers.sweeper import Sweeper, on_demand

log = logging.getLogger("hookyard.supervisor")

LOOK_S = 0.2
SWEEP_S = 1.0


class Supervisor:
    """Runs until it is told to stop, then stops its workers in order."""

    def __init__(self, ready: Setup, *, queues: tuple[str, ...], workers: int, led: bool = False) -> None:
        """`queues`: only these; empty: all of routes.yaml. `led`: see `Reloading`."""
        self._setup = ready
        self._clock = ready.clock
        self._named = queues
        self._workers = workers
        self._places = {queue: Place(workers) for queue in self._queues(ready)}
        in_force = Loaded(text=ready.text, config=ready.config)
        following = Following(ready.settings.routes, os.environ, in_force)
        self._reloading = Reloading(following, ready.clock, led=led)
        self._sweeper = Sweeper(ready, self._queues(ready), refused=lambda: following.refused)
        self._untold = False
        self._handing_over: float | None = None
        """Since when, in monotonic seconds."""
        self._dead: dict[str, str] = {}
        self._stopping = False

    def _queues(self, ready: Setup) -> tuple[str, ...]:
        return self._named or setup.queues(ready.config)

    def run(self) -> None:
        """The loop: look after the children, sweep once a second."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._reloading.tell)
        next_sweep = 0.0
        while not self._stopping:
            now = self._clock.monotonic()
            self._bury(now)
            if now >= next_sweep:
                next_sweep = now + (LOOK_S if self._hurries(now) else SWEEP_S)
                self._sweeper.sweep(self._idle())
                self._free_the_dead()
                self._serve_on_demand()
            self._fill(now)
            found = self._reloading.look()
            if found is not None:
                self._take_up(found)
            if self._untold and self._sweeper.published:
                self._have_drains_hand_over(now)
            self._look_at_hand_over(now)
            pause(LOOK_S)
        self._reloading.close()
        self._end()
        self._sweeper.close()

    def _take_up(self, found: Loaded) -> None:
        """From now on processes are started by this; those that run hand over to them."""
        log.info(
            "routes.yaml in force",
            extra={"version": found.config.version, "before": self._setup.config.version},
        )
        for warning in found.config.warnings:
            log.warning(str(warning))
        self._setup = replace(self._setup, config=found.config, text=found.text)
        queues = self._queues(self._setup)
        for queue in sorted(set(queues) - set(setup.queues(found.config))):
            log.warning("no route has the queue %s any more, which this supervisor was told to serve", queue)
        for queue, place in self._places.items():
            place.wanted = self._workers if queue in queues else 0
        for queue in queues:
            self._places.setdefault(queue, Place(self._workers))
        self._sweeper.use(self._setup, queues)
        self._untold = True

    def _have_drains_hand_over(self, now: float) -> None:
        """Once the store knows what is in force: a queue that is not served any more gets no successor."""
        self._untold, self._handing_over = False, now
        for place in self._places.values():
            for child in place.children:
                child.leaving = True
                child.process.send_signal(signal.SIGHUP)

    def _look_at_hand_over(self, now: float) -> None:
        """Say when no process of before takes deliveries any more, and others do."""
        if self._handing_over is None:
            return
        busy = self._busy()
        places = self._places.values()
        taking = any(
            child.leaving and busy.get(child.name) != "finishing"
            for place in places
            for child in place.children
        )
        served = all(
            any(not child.leaving and busy.get(child.name) == "on" for child in place.children)
            for place in places
            if place.wanted
        )
        if served and not taking:
            log.info("new workers have taken over", extra={"seconds": round(now - self._handing_over, 1)})
            self._handing_over = None

    def _hurries(self, now: float) -> bool:
        return self._handing_over is not None and now - self._handing_over < QUICK_S

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _bury(self, now: float) -> None:
        """Note children that ended. A drain that is over ends its worker: that is no failure."""
        for place in self._places.values():
            for child in [child for child in place.children if child.process.poll() is not None]:
                place.children.remove(child)
                self._dead[child.name] = child.queue
                failed = child.process.returncode != 0
                if child.leaving:
                    continue
                if failed:
                    log.warning("worker %s ended with %s", child.name, child.process.returncode)
                place.wait_after(child, now, failed=failed)

    def _free_the_dead(self) -> None:
        """Drains of dead workers, once their process is gone too: it may still be finishing what it had."""
        for drain, (worker, _, pid) in self._sweeper.drains.items():
            if worker in self._dead and not _alive(pid):
                self._sweeper.reap(drain)
        owners = {worker for worker, _, _ in self._sweeper.drains.values()}
        self._dead = {name: queue for name, queue in self._dead.items() if name in owners}

    def _busy(self) -> dict[str, str]:
        """Worker → state of its drain."""
        return {worker: state for worker, state, _ in self._sweeper.drains.values()}

    def _idle(self) -> dict[str, int]:
        busy = self._busy()
        return {
            queue: sum(child.name not in busy for child in place.children)
            for queue, place in self._places.items()
        }

    def _fill(self, now: float) -> None:
        """Start what is missing. A worker whose drain hands over does not count: a replacement is due."""
        busy = self._busy()
        for queue, place in self._places.items():
            staying = sum(
                not child.leaving and busy.get(child.name) not in ("leaving", "finishing")
                for child in place.children
            )
            if staying < place.wanted and now >= place.not_before:
                place.children.append(self._start(queue, now))

    def _serve_on_demand(self) -> None:
        for queue in on_demand(self._setup):
            place = self._places.setdefault(queue, Place(0))
            working = any(not child.leaving for child in place.children)
            if not working and self._clock.monotonic() >= place.not_before:
                place.children.append(self._start(queue, self._clock.monotonic(), "--burst"))

    def _start(self, queue: str, now: float, *options: str) -> Child:
        name = f"hookyard-{queue}-{socket.gethostname()}-{uuid.uuid4().hex[:8]}"
        command = ("work", "--queue", queue, "--name", name, *options)
        process = given.start(command, self._setup.text, before=tether(signal.SIGTERM))
        return Child(queue, name, process, now)

    def _end(self) -> None:
        """Tell all to stop, wait for what runs to finish, then no longer."""
        children = [child for place in self._places.values() for child in place.children]
        for child in children:
            child.process.terminate()
        deadline = self._clock.monotonic() + self._setup.settings.grace + 5.0
        for child in children:
            try:
                child.process.wait(timeout=max(0.1, deadline - self._clock.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("worker %s did not stop in time", child.name)
                self._kill(child)

    def _kill(self, child: Child) -> None:
        """The worker and its work horse, which is a process of its own."""
        child.process.kill()
        child.process.wait()
        for worker, _, pid in self._sweeper.drains.values():
            if worker == child.name and _alive(pid):
                os.kill(pid, signal.SIGKILL)


def _alive(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
