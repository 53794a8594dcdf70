"""Rates that all workers keep together: a token bucket in Redis for each of what is limited, by its clock.

Who takes is told how long to wait before it goes, and has its place: nobody has to ask twice, and nobody
overtakes. What has no limit should not ask at all.
"""

import math

import redis.asyncio

from receiver.core import scripts
from receiver.core.scripts import Call

BURST_S = 0.1
"""What was left unused may be caught up with for so long: within any second, at most so much more goes."""
LONGEST_S = 86_400.0


def take(
    name: str, per_second: float, count: int = 1, *, burst_s: float = BURST_S, patience_s: float = LONGEST_S
) -> Call[float]:
    """Take `count` places of what `name` calls, at `per_second`. Answers how long to wait, in seconds.

    When that is more than `patience_s`, nothing was taken. Many places may be taken at once: those after
    them wait the longer.
    """
    table = {
        "name": name,
        "cost": math.ceil(count * 1_000_000 / per_second),
        "burst": round(burst_s * 1_000_000),
        "patience": round(min(patience_s, LONGEST_S) * 1_000_000),
    }
    return scripts.call("rate", table, lambda answer: int(answer) / 1_000_000)


class SharedRate:
    """`take` for an event loop; opens its connection when it is first asked."""

    def __init__(self, redis_: "redis.asyncio.Redis") -> None:
        self._redis = redis_

    async def take(
        self,
        name: str,
        per_second: float,
        count: int = 1,
        *,
        burst_s: float = BURST_S,
        patience_s: float = LONGEST_S,
    ) -> float:
        """As the function. Raises Unavailable: then nothing is known, and nobody should go."""
        made = take(name, per_second, count, burst_s=burst_s, patience_s=patience_s)
        return await scripts.run(self._redis, made)

    async def close(self) -> None:
        await self._redis.aclose()
