"""How every route stands, in one look: what waits, what runs, and why something does not."""

from typing import Any

import msgspec

from receiver.core import scripts
from receiver.core.scripts import Call, rows, unpacked


class Breaker(msgspec.Struct, frozen=True, kw_only=True):
    """A route's circuit breaker."""

    state: str
    """`closed`, `open`, `probing` or `releasing`."""
    reason: str
    """Why it opened."""
    since_ms: int
    """When; 0 while it is closed."""
    trips: int
    """How often it opened since: once, and after each probe that failed."""
    probe_ms: int
    """When an open one probes; of a closed one: when the route's rate lets the next go."""
    limit: int
    """How many attempts it lets run at a time; 0: it sets no limit."""

    @property
    def shut(self) -> bool:
        """Whether it holds anything back."""
        return self.state != "closed"


class RouteState(msgspec.Struct, frozen=True, kw_only=True):
    """A route as it stands."""

    number: int
    name: str
    queue: str
    """Empty: no worker serves it."""
    concurrency: int
    rate: float
    """Most attempts a second; 0: any number."""
    paused: str
    """Why; empty when it is not."""
    backlog: int
    replaying: int
    parked: int
    """Deliveries that wait for others of their ordering key."""
    running: int
    dead: int
    oldest_ms: int
    """Arrival of the oldest message in its backlog; 0: it is empty."""
    breaker: Breaker
    gone_ms: int
    """Since when the routes.yaml in force does not name it any more; 0: it does, or never did."""
    later: int = 0
    """For a retry. Counted for routes that nobody serves: there they wait like the others."""
    counts: dict[str, int] = {}
    """Of the last ten minutes: delivered, retried, dropped, dead, overtaken."""

    @property
    def waiting(self) -> int:
        """Deliveries that wait to be worked."""
        return self.backlog + self.replaying + self.parked + self.later


def states() -> Call[list[RouteState]]:
    """Every route that was ever configured, without the counts."""

    def decode(reply: Any) -> list[RouteState]:
        return msgspec.convert(rows(unpacked(reply)["rows"]), list[RouteState], strict=False)

    return scripts.call("read", {"act": "routes"}, decode)
