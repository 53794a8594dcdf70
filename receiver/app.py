"""The HTTP side put together: the only place that knows all of its parts."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from receiver.core.clock import SYSTEM, Clock
from receiver.core.metrics import Metrics
from receiver.core.routes import Config
from receiver.core.settings import Settings
from receiver.errors_http import http_exception
from receiver.exposition import Exposition, Refresh
from receiver.health import Check, Health
from receiver.intake import PREFIX, Intake
from receiver.keeping import Commits, Keeper
from receiver.load import Load
from receiver.middleware import Edge
from receiver.refusals import Refusals
from receiver.reloading import Reloading
from receiver.tracking import calls
from receiver.tracking.cors import Cors
from receiver.tracking.endpoint import Tracking


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """The store as the HTTP side uses it."""

    committer: Commits
    refusals: Refusals = field(default_factory=Refusals)
    """Notes of what is refused, which it writes down."""
    checks: tuple[Check, ...]
    """What /readyz asks about the store."""
    refreshes: tuple[Refresh, ...]
    """What /metrics asks of it."""
    running: Callable[[], AbstractAsyncContextManager[None]]
    """Its life: entered before the first request, left after the last."""
    use: Callable[[Config], None] = field(default=lambda config: None)
    """Tells it of another config, before the first message is kept by it."""


class App(Starlette):
    """Starlette, with a way past its router and middleware for the two paths that must be fast.

    They took 20 µs of the 125 µs of a request, to find one fixed prefix and to catch what `Edge` catches.
    """

    hooks: ASGIApp
    tracking: ASGIApp
    use: Callable[[Config], None]
    """Serve what comes from now on by this config; a request in progress ends by the one it began with."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            await self.hooks(scope, receive, send)
        elif scope["type"] == "http" and scope["path"].startswith(calls.PREFIX):
            await self.tracking(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(
    settings: Settings,
    config: Config,
    store: Store,
    *,
    metrics: Metrics | None = None,
    load: Load | None = None,
    reloading: Reloading | None = None,
    clock: Clock = SYSTEM,
) -> App:
    """The application, which begins with a valid config and takes up others while `reloading` finds them.

    Run it without uvicorn's own logging: the edge writes the log.
    """
    metrics = metrics or Metrics()
    load = load or Load()
    metrics.follow("hookyard_requests_in_progress", lambda: len(load.shares))
    health = Health(store.checks, settings.admin_token)

    def use(config: Config) -> None:
        store.use(config)
        keeper = Keeper(config, store.committer, store.refusals, metrics=metrics, clock=clock)
        intake = Intake(settings, config, keeper, load=load, clock=clock)
        tracking = Tracking(settings, config, keeper, metrics=metrics, load=load, clock=clock)
        app.hooks = Edge(intake, metrics=metrics, clock=clock, raising="hooks")
        app.tracking = Cors(Edge(tracking, metrics=metrics, clock=clock, raising="tracking"))
        metrics.replace("hookyard_config_info", {(config.version,): 1})

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        following = nullcontext() if reloading is None else reloading.running(use)
        async with store.running(), load.watched(), following:
            yield

    app = App(
        routes=[
            Route("/livez", health.livez),
            Route("/readyz", health.readyz),
            Route("/metrics", Exposition(metrics, store.refreshes).show),
        ],
        middleware=[Middleware(Edge, metrics=metrics, clock=clock)],
        exception_handlers={HTTPException: http_exception},
        lifespan=lifespan,
    )
    app.use = use
    use(config)
    # A redirect to the other spelling of a path would lose the body of a POST.
    app.router.redirect_slashes = False
    return app
