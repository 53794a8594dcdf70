"""The routes as a drain runs them: built once, found by number; one it does not know is held."""

import asyncio
import logging

from receiver.core import records
from receiver.core.clock import Clock
from receiver.core.routes import Config
from receiver.core.store import Book, Result, Work
from workers import steps
from workers.course import Line
from workers.delivery import attempt, given_up
from workers.toolbox import Toolbox

log = logging.getLogger("hookyard.drain")

HOLD_S = 1.0


class Lines:
    """Every route of the configuration with its steps, ready to run."""

    def __init__(self, config: Config, tools: Toolbox, clock: Clock, book: Book) -> None:
        self._config = config
        self._tools = tools
        self._clock = clock
        self._names = book.names
        self._lines = {
            route.name: Line.of(route, lambda step: steps.build(step, tools))
            for route in config.routes.values()
        }
        self.ordered = frozenset(
            number
            for name, number in book.numbers.items()
            if name in config.routes and config.routes[name].order_by
        )
        """Numbers of routes where others may wait for a delivery to be over: those of its ordering key."""
        self.unknown: set[int] = set()
        """Numbers of routes that only a newer configuration knows: left to workers that have it."""

    async def deliver(self, work: Work) -> Result:
        """Run one attempt. Always answers: what cannot be run here, or is cancelled, is given back."""
        number = records.reference(work.ref).route
        route = self._config.routes.get(self._names.get(number, ""))
        if route is None:
            self.unknown.add(number)
            return work.give_back
        try:
            return await attempt(work, self._lines[route.name], self._tools, self._clock)
        except asyncio.CancelledError:
            return work.give_back
        except Exception:
            log.exception("delivery %s cannot be worked here", work.ref)
            await asyncio.sleep(HOLD_S)
            return work.give_back

    def given_up(self, work: Work) -> Result:
        """The result of an attempt that does not end although its time is up."""
        route = self._config.routes[self._names[records.reference(work.ref).route]]
        log.warning(
            "a handler of route %s swallows its cancellation: %s is left behind", route.name, work.ref
        )
        return given_up(work, self._lines[route.name], self._clock)
