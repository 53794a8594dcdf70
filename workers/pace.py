"""When a connection may send: not while Segment asked it to wait, and no faster than a rate.

The rate is kept by all workers together; that Segment asked to wait, each learns for itself.
"""

import asyncio

from receiver.core import clock
from receiver.core.clock import Clock
from receiver.core.errors import Unavailable
from receiver.core.shared_rate import SharedRate
from workers.outcome import Outcome, Retry

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
                return Retry("rate_limited", f"{used_up} for {wait_s:.0f} s", wait_s)
            await asyncio.sleep(wait_s)
        return self._held()

    def heed(self, outcome: Outcome) -> None:
        """Keep the connection from sending for as long as Segment asked one request to wait."""
        if isinstance(outcome, Retry) and outcome.after_s:
            self._free_at = self._clock.monotonic() + outcome.after_s
            self._asked = outcome

    def _held(self) -> Retry | None:
        left_s = self._free_at - self._clock.monotonic()
        if left_s <= 0:
            return None
        return Retry(self._asked.code, f"not sent, for another request was told: {self._asked.error}", left_s)
