"""What a worker process knows before it works: settings, routes, where Redis is."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace

from receiver.core import routes_file
from receiver.core.clock import SYSTEM, Clock
from receiver.core.data_dir import resolve_redis_url
from receiver.core.errors import ConfigError, Problem
from receiver.core.queue import QUARANTINE, Jobs
from receiver.core.routes import DEFAULT_QUEUE, Config
from receiver.core.settings import Settings
from receiver.core.steps.handler import HandlerSpec
from workers import loading


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """One process' view of the world, complete before the first claim."""

    settings: Settings
    config: Config
    text: str = ""
    """Of routes.yaml, which may say something else by now."""
    url: str
    """Redis of the store."""
    jobs: Jobs
    clock: Clock = SYSTEM

    def concurrency(self, queue: str) -> int:
        """Deliveries that may run at once on a queue; any of them may turn up in quarantine."""
        routes = self.config.routes.values()
        return sum(route.concurrency for route in routes if queue in (route.queue, QUARANTINE))


def load(environ: Mapping[str, str] = os.environ, text: str | None = None) -> Setup:
    """Read everything; `text`, when given, in place of routes.yaml. Raises ConfigError with all problems."""
    settings = Settings.from_env(environ)
    if text is None:
        text = routes_file.text_of(settings.routes)
    config = routes_file.parse(text, file=str(settings.routes), environ=environ)
    url = resolve_redis_url(settings)
    rq_url = settings.rq_url.reveal() if settings.rq_url is not None else url
    return Setup(settings=settings, config=config, text=text, url=url, jobs=Jobs(rq_url))


def queues(config: Config) -> tuple[str, ...]:
    """The queues a supervisor serves when nobody names others."""
    return tuple(sorted({route.queue for route in config.routes.values()} | {DEFAULT_QUEUE}))


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
