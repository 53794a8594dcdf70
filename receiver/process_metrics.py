"""What /metrics says of receivers and workers: asked of the store, so all receivers say the same."""

from collections import Counter

import redis.asyncio

from receiver.core import processes, scripts
from receiver.core.clock import SYSTEM
from receiver.core.metrics import Metrics
from receiver.core.processes import KINDS


class ProcessMetrics:
    """Brings the metrics of processes up to date."""

    def __init__(self, client: "redis.asyncio.Redis") -> None:
        self._redis = client

    async def refresh(self, metrics: Metrics) -> None:
        """Raises Unavailable."""
        found = await scripts.run(self._redis, processes.listed(now_ms=SYSTEM.now_ms()))
        metrics.replace("hookyard_processes", Counter((one.kind, one.version) for one in found))
        refusing = Counter(one.kind for one in found if one.refused)
        metrics.replace("hookyard_processes_refusing", {(kind,): refusing[kind] for kind in KINDS})
