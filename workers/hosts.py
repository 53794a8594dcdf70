"""Hosts that take no connections: after a few failures in a row nothing is sent there for a while, so that a
dead host costs neither slots nor attempts. Each drain finds out for itself; a host that answers is not down.

The breaker of a route is in the store (`lua/breaker.lua`); this one is for what that does not see: one of
several hosts of a route, and one host of several routes.
"""

import logging
import random
from collections.abc import Callable

from yarl import URL

from receiver.core.clock import SYSTEM, Clock
from workers.errors import Unreachable

log = logging.getLogger("hookyard.http")

IN_A_ROW = 5
"""So many connections must fail, and none succeed in between."""
FIRST_S, LONGEST_S = 5.0, 60.0
"""How long nothing is sent then; twice as long after each request that was sent to see, and failed."""

Host = tuple[str | None, int | None]


class HostDown(Unreachable):
    """The request was not sent: its host is known to take no connections."""

    code = "host_down"

    def __init__(self, host: str, after_s: float) -> None:
        said = f"{host} takes no connections for now; nothing was sent"
        super().__init__(self.code, said, after=after_s, held=True)


class _Failing:
    """A host whose last connections failed."""

    __slots__ = ("closed_until", "failed", "wait_s")

    def __init__(self) -> None:
        self.failed = 0
        self.closed_until = 0.0
        self.wait_s = 0.0
        """For how long nothing is sent; 0: they are too few for that."""


class Hosts:
    """What one drain knows of the hosts it sends to; nothing of those that work."""

    def __init__(self, clock: Clock = SYSTEM, spread: Callable[[], float] = random.random) -> None:
        self._clock = clock
        self._spread = spread
        self._failing: dict[Host, _Failing] = {}

    def check(self, url: URL) -> bool:
        """Raises HostDown while it is. Answers whether this request is the one that finds out."""
        if not self._failing or (at := self._failing.get((url.host, url.port))) is None or not at.wait_s:
            return False
        now = self._clock.monotonic()
        if now < at.closed_until:
            after_s = at.closed_until - now + at.wait_s * self._spread()
            raise HostDown(url.host_port_subcomponent or "", after_s)
        at.closed_until = now + FIRST_S  # if it is never heard of again, another one will
        return True

    def connected(self, url: URL) -> None:
        """It took a connection."""
        if self._failing and (at := self._failing.pop((url.host, url.port), None)) and at.wait_s:
            log.warning("host %s takes connections again", url.host_port_subcomponent)

    def failed(self, url: URL, *, found_out: bool) -> None:
        """A connection could not be made. `found_out`: what `check` answered."""
        at = self._failing.setdefault((url.host, url.port), _Failing())
        if found_out:
            at.wait_s = min(2 * at.wait_s, LONGEST_S)
        else:
            at.failed += 1
            if at.wait_s or at.failed < IN_A_ROW:
                return
            at.wait_s = FIRST_S
        at.closed_until = self._clock.monotonic() + at.wait_s
        said = "host %s takes no connections: nothing is sent there for %g s"
        log.warning(said, url.host_port_subcomponent, at.wait_s)
