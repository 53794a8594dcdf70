"""Makes the frozen `Config` of a routes.yaml in which no problem was found."""

from collections.abc import Iterable, Mapping

from receiver.core import backoff, steps, units
from receiver.core.connections import ADDRESSES, Connection
from receiver.core.errors import Problem
from receiver.core.fql import compile_fql
from receiver.core.routes import TRACKING_PATH, Config, Route, Source, SourcePath
from receiver.core.routes_models import ConnectionKeys, FileKeys, RegionUrls, RouteKeys, SourceKeys
from receiver.core.routes_types import Feeds
from receiver.core.settings import Secret
from receiver.core.transforms import names_of
from receiver.core.verify_build import built, secrets


def build(keys: FileKeys, environ: Mapping[str, str], version: str, warnings: tuple[Problem, ...]) -> Config:
    """The config; every variable it names must be in `environ`."""
    sources = {name: _source(name, source, environ) for name, source in keys.sources.items()}
    return Config(
        sources=sources,
        connections={name: _connection(name, one, environ) for name, one in keys.connections.items()},
        routes={name: _route(name, route, environ) for name, route in keys.routes.items()},
        paths={
            path: SourcePath(source=source, path=path, feeds=feeds)
            for source in sources.values()
            for path, feeds in source.paths.items()
        },
        tracking={
            place: SourcePath(source=source, path=place)
            for source in sources.values()
            if source.write_keys
            for place in (TRACKING_PATH + source.name,)
        },
        version=version,
        warnings=warnings,
    )


def _source(name: str, keys: SourceKeys, environ: Mapping[str, str]) -> Source:
    default: dict[str, Feeds] = {} if keys.verify is None else {name: "all"}
    return Source(
        name=name,
        verify=built(keys.verify, environ),
        paths={
            path: None if feeds == "all" else frozenset(feeds)
            for path, feeds in (keys.paths or default).items()
        },
        write_keys=secrets(keys.write_key_env, environ),
        max_age_s=None if keys.max_age is None else units.seconds(keys.max_age),
        refuses_invalid=keys.invalid == "refuse",
        rate_limit=None if keys.rate_limit is None else units.per_second(keys.rate_limit),
        purges=keys.on_delete == "purge",
        enabled=keys.enabled,
    )


def _connection(name: str, keys: ConnectionKeys, environ: Mapping[str, str]) -> Connection:
    urls = keys.region.model_dump() if isinstance(keys.region, RegionUrls) else ADDRESSES[keys.region]
    return Connection(
        name=name,
        write_key=_secret(keys.write_key_env, environ),
        profile_token=_secret(keys.profile_token_env, environ),
        space_id=keys.space_id or "",
        public_api_token=_secret(keys.public_api_token_env, environ),
        tracking_url=_base(urls["tracking"]),
        profile_url=_base(urls["profile"]),
        public_url=_base(urls["public"]),
        rate_limit=None if keys.rate_limit is None else units.per_second(keys.rate_limit),
        max_hops=keys.max_hops,
    )


def _secret(variable: str | None, environ: Mapping[str, str]) -> Secret | None:
    return None if variable is None else Secret(environ[variable])


def _base(url: str | None) -> str:
    """Without what every path begins with."""
    return (url or "").rstrip("/").removesuffix("/v1").rstrip("/")


def _route(name: str, keys: RouteKeys, environ: Mapping[str, str]) -> Route:
    types = keys.types if keys.types is not None or keys.events is None else ["track"]
    return Route(
        name=name,
        sources=_narrowed(keys.sources),
        types=_narrowed(types),
        events=None if keys.events is None else tuple(keys.events),
        channels=_narrowed(keys.channels),
        where=None if keys.where is None else compile_fql(keys.where),
        invalid=keys.invalid,
        steps=tuple(steps.build(step, environ) for step in keys.steps),
        retry=backoff.schedule(keys.retry),
        concurrency=keys.concurrency,
        rate_limit=None if keys.rate_limit is None else units.per_second(keys.rate_limit),
        order_by=None if keys.order_by is None else names_of(keys.order_by),
        queue=keys.queue,
        enabled=keys.enabled,
    )


def _narrowed(names: Iterable[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)
