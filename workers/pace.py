"""When a connection may send: not while Segment asked it to wait, and no faster than a rate.

The rate is kept by all workers together; that Segment asked to wait, each learns for itself.
"""

import asyncio

from receiver.core import clock
from receiver.core.clock import Clock
from receiver.core.connections import Connection
from receiver.core.errors import Unavailable
from receiver.core.shared_rate import SharedRate
from workers.outcome import Outcome, Retry

PER_SECOND = 80
"""Requests to one space of the Profile API, of all workers. With the burst a shared rate allows, and some
being on their way for longer than others, these stay below the 100 in any second at which Segment begins to
refuse."""
PATIENCE_S = 10.0
"""Longest wait for a turn inside an attempt: what would take longer is tried again later."""


class Pace:
    """One per connection, API and drain."""

    def __init__(
        self,
        place: str,
        per_second: float | None,
        rate: SharedRate,
        clock_: Clock = clock.SYSTEM,
        *,
        limit: str,
    ) -> None:
        """`place` names the rate in Redis, `limit` names it for people. `per_second`: messages or requests;
        None: no limit, and Redis is never asked."""
        self._place = place
        self._limit = limit
        self._per_second = per_second
        self._rate = rate
        self._clock = clock_
        self._free_at = 0.0
        self._asked = Retry("")

    async def turn(self, count: int) -> Retry | None:
        """Wait until `count` messages may go; what is answered is why they may not."""
        if self._per_second is not None and not self._held():
            try:
                wait_s = await self._rate.take(self._place, self._per_second, count, patience_s=PATIENCE_S)
            except Unavailable as error:
                return Retry(error.code, error.message)
            if wait_s > PATIENCE_S:
                used_up = f"{self._limit}, {self._per_second:g}/s for all workers, is used up"
                return Retry("rate_limited", f"{used_up} for {wait_s:.0f} s", wait_s, held=True)
            await asyncio.sleep(wait_s)
        return self._held()

    def heed(self, outcome: Outcome) -> None:
        """Keep the connection from sending for as long as Segment asked one request to wait."""
        if not isinstance(outcome, Retry) or not outcome.after_s:
            return
        free_at = self._clock.monotonic() + outcome.after_s
        if free_at > self._free_at:  # of several that were on their way, the longest wait counts
            self._free_at, self._asked = free_at, outcome

    def _held(self) -> Retry | None:
        left_s = self._free_at - self._clock.monotonic()
        if left_s <= 0:
            return None
        said = f"nothing was sent, for another request was told: {self._asked.error}"
        return Retry("asked_to_wait", said, left_s, held=True)


def of_sending(connection: Connection, rate: SharedRate) -> Pace:
    """For the tracking API: the connection's own rate."""
    limit = f"the rate_limit of the connection {connection.name}"
    return Pace(f"connection:{connection.name}", connection.rate_limit, rate, limit=limit)


def of_space(connection: Connection, rate: SharedRate) -> Pace:
    """For the Profile API: the rate of its space."""
    space = connection.space_id
    return Pace(f"space:{space}", PER_SECOND, rate, limit=f"the rate of the space {space}")


def of_public(connection: Connection, rate: SharedRate) -> Pace:
    """For the Public API: no rate but what it answers."""
    return Pace(f"public:{connection.name}", None, rate, limit="")
