"""The rate limits of sources: token buckets of one second, in this process alone.

What waits for Redis or the workers is bounded elsewhere; this keeps one sender from taking all of it.
"""

import math
from collections.abc import Mapping

from receiver.core.clock import SYSTEM, Clock
from receiver.core.errors import RateLimited
from receiver.core.routes import Config


class Bucket:
    """Holds at most the tokens of a second, and at least one.

    A batch of more messages than that needs a full bucket and leaves it in debt: refused for its size alone,
    it could never get in.
    """

    def __init__(self, rate: float, clock: Clock = SYSTEM) -> None:
        """`rate`: tokens a second."""
        self._rate = rate
        self._most = max(1.0, rate)
        self._tokens = self._most
        self._clock = clock
        self._at = clock.monotonic()

    def wait_s(self, count: int) -> float:
        """Seconds until so many may be taken; 0.0: now."""
        now = self._clock.monotonic()
        self._tokens = min(self._most, self._tokens + (now - self._at) * self._rate)
        self._at = now
        return max(0.0, (min(count, self._most) - self._tokens) / self._rate)

    def take(self, count: int) -> None:
        self._tokens -= count


class Rates:
    """The buckets of all sources that have a limit."""

    def __init__(self, config: Config, clock: Clock = SYSTEM) -> None:
        self._buckets = {
            name: Bucket(source.rate_limit, clock)
            for name, source in config.sources.items()
            if source.rate_limit is not None
        }

    def admit(self, counts: Mapping[str, int]) -> None:
        """So many messages of each source, all of them or none. Raises RateLimited."""
        if not self._buckets:
            return
        limited = [(name, count) for name, count in counts.items() if name in self._buckets]
        for name, count in limited:
            wait_s = self._buckets[name].wait_s(count)
            if wait_s > 0:
                raise RateLimited(
                    f"More messages than the rate_limit of the source {name}; please try again.",
                    retry_after=max(1, math.ceil(wait_s)),
                )
        for name, count in limited:
            self._buckets[name].take(count)
