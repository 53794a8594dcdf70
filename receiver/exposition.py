"""/metrics: this process's own counters, and what the store is asked for at that moment."""

import logging
from collections.abc import Awaitable, Callable, Sequence

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response

from receiver.core.errors import Unavailable
from receiver.core.metrics import Metrics

log = logging.getLogger("hookyard.metrics")

Refresh = Callable[[Metrics], Awaitable[None]]
"""Brings gauges up to date before they are shown. May raise Unavailable: then they are shown as they were."""


class Exposition:
    """The endpoint."""

    def __init__(self, metrics: Metrics, refreshes: Sequence[Refresh]) -> None:
        self._metrics = metrics
        self._refreshes = refreshes

    async def show(self, request: Request) -> Response:
        for refresh in self._refreshes:
            try:
                await refresh(self._metrics)
            except Unavailable as error:
                log.warning("gauges not up to date", extra={"code": error.code, "reason": error.message})
        return Response(self._metrics.text(), headers={"content-type": CONTENT_TYPE_LATEST})
