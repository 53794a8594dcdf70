"""What /metrics says of the routes: the store is asked at that moment, so all receivers say the same."""

from typing import Any, cast

import redis.asyncio
from redis import exceptions

from receiver.core import keys, route_states, scripts
from receiver.core.metrics import Metrics

OUTCOMES = ("delivered", "retried", "dropped", "dead")
CLEARED = ("moved", "removed")
LOOPED = "looped"
"""As `settle.lua` counts what is dropped to cut a circle; it is among the dropped ones too."""


class RouteMetrics:
    """Brings the metrics of routes up to date."""

    def __init__(self, client: "redis.asyncio.Redis") -> None:
        self._redis = client

    async def refresh(self, metrics: Metrics) -> None:
        """Raises Unavailable."""
        states = await scripts.run(self._redis, route_states.states())
        metrics.replace("hookyard_backlog", {(state.name,): state.waiting for state in states})
        metrics.replace("hookyard_breaker_open", {(state.name,): state.breaker.shut for state in states})
        totals = await self._totals()
        metrics.restate(
            "hookyard_attempts_total",
            {
                (state.name, outcome): totals.get(f"{state.number}:{outcome}", 0)
                for state in states
                for outcome in OUTCOMES
            },
        )
        metrics.restate(
            "hookyard_segment_loops_total",
            {(state.name,): totals.get(f"{state.number}:{LOOPED}", 0) for state in states},
        )
        metrics.restate(
            "hookyard_deliveries_overtaken_total",
            {(state.name,): totals.get(f"{state.number}:overtaken", 0) for state in states},
        )
        cleared = {(state.name, how): f"{state.number}:{how}" for state in states for how in CLEARED}
        metrics.restate(
            "hookyard_deliveries_cleared_total",
            {labels: totals[field] for labels, field in cleared.items() if field in totals},
        )
        metrics.restate("hookyard_messages_purged_total", {(): totals.get("purged", 0)})

    async def _totals(self) -> dict[str, int]:
        try:
            found: dict[bytes, bytes] = await cast(Any, self._redis.hgetall(keys.key("TOTALS")))
        except (exceptions.RedisError, OSError) as error:
            raise scripts.translate(error) from error
        return {field.decode(): int(value) for field, value in found.items()}
