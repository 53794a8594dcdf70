"""What a worker process knows before it works: settings, routes, where Redis is."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace

from receiver.core import routes_file
from receiver.core.clock import SYSTEM, Clock
from receiver.core.data_dir import resolve_redis_url
from receiver.core.errors import ConfigError, Problem
from receiver.core.queue import QUARANTINE, Jobs
from receiver.core.routes import Config
from receiver.core.settings import Settings
from receiver.core.steps.handler import HandlerSpec
from workers import loading


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """One process' view of the world, complete before the first claim."""

    settings: Settings
    config: Config
    url: str
    """Redis of the store."""
    jobs: Jobs
    clock: Clock = SYSTEM

    def concurrency(self, queue: str) -> int:
        """Deliveries that may run at once on a queue; any of them may turn up in quarantine."""
        routes = self.config.routes.values()
        return sum(route.concurrency for route in routes if queue in (route.queue, QUARANTINE))


def load(environ: Mapping[str, str] = os.environ) -> Setup:
    """Read everything. Raises ConfigError with all problems."""
    settings = Settings.from_env(environ)
    config = routes_file.load(settings.routes, environ)
    url = resolve_redis_url(settings)
    rq_url = settings.rq_url.reveal() if settings.rq_url is not None else url
    return Setup(settings=settings, config=config, url=url, jobs=Jobs(rq_url))


def preload(config: Config) -> list[Problem]:
    """Import every handler, so that a forked drain finds them loaded; answers what does not import."""
    problems = []
    for route in config.routes.values():
        for step in route.steps:
            if isinstance(step.spec, HandlerSpec):
                try:
                    loading.load(step.spec.target)
                except loading.HandlerNotFound as error:
                    problems.append(replace(config.steps_at[route.name, step.name], message=str(error)))
    return problems


def require_handlers(config: Config) -> None:
    """Raises ConfigError naming every handler that cannot be imported."""
    problems = preload(config)
    if problems:
        raise ConfigError(problems)
