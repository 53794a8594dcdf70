"""What makes sense in routes.yaml beyond its shape: names that refer to each other, secrets that are set.

Works on the plain data, whatever its shape, so that one run finds all problems and not the shape's first.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from difflib import get_close_matches
from typing import Any

from receiver.core import units
from receiver.core.connections_check import check_connection
from receiver.core.environ_check import check_variables
from receiver.core.findings import Findings, mappings, texts
from receiver.core.fql_check import check_fql
from receiver.core.routes_models import SourceKeys
from receiver.core.routes_reach import check_reach
from receiver.core.steps.check import check_steps
from receiver.core.verify_check import check_verify
from receiver.core.yaml_nodes import Path

KNOWN_TYPES = ("track", "identify", "page", "screen", "group", "alias", "delete")
"""Types Segment sends; others are allowed, as it may send more one day."""
SEGMENT_RETRIES_S = 4 * 3600
RESERVED_QUEUES = {"quarantine": "deliveries that crashed a worker", "replay": "replays"}
"""The queues of `receiver.core.queue`, which is not imported here because it loads RQ; a test compares."""


def check(data: Mapping[str, Any], environ: Mapping[str, str], findings: Findings) -> None:
    """Note everything that cannot work, and what probably is not meant."""
    for name, connection in mappings(data.get("connections")):
        check_connection(("connections", name), connection, environ, findings)
    for name, source in mappings(data.get("sources")):
        _check_source(("sources", name), source, environ, findings)
    _check_write_keys(data, environ, findings)
    _check_paths(data, findings)
    for name, route in mappings(data.get("routes")):
        _check_route(("routes", name), route, data, environ, findings)
    check_reach(data, findings)
    if not data.get("sources"):
        findings.warn((), "there is no source, so nothing can come in")


def _check_source(path: Path, source: dict[str, Any], environ: Mapping[str, str], findings: Findings) -> None:
    check_verify((*path, "verify"), source.get("verify"), environ, findings)
    check_variables((*path, "write_key_env"), source.get("write_key_env"), environ, findings)
    _check_age((*path, "max_age"), source.get("max_age"), findings)
    if "verify" in source:
        _check_purge((*path, "on_delete"), source, findings)
        return
    of_webhooks = [key for key in ("paths", "max_age", "on_delete") if key in source]
    for key in of_webhooks:
        findings.error((*path, key), "is for webhooks, which need verify beside it")
    if not of_webhooks and "write_key_env" not in source and source.keys() <= SourceKeys.model_fields.keys():
        findings.error((*path, "verify"), "is required, or write_key_env for calls of the tracking API")


def _check_purge(path: Path, source: dict[str, Any], findings: Findings) -> None:
    """What nothing covers orders no purge."""
    verify = source["verify"]
    schemes = [
        one.get("scheme")
        for one in (verify if isinstance(verify, list) else [verify])
        if isinstance(one, dict)
    ]
    if source.get("on_delete") == "purge" and "none" in schemes:
        findings.error(
            path, "purge needs another scheme than none: whoever knows the URL could delete messages"
        )


def _check_age(path: Path, value: Any, findings: Findings) -> None:
    """What cannot be read is a matter of its shape."""
    with suppress(ValueError):
        if isinstance(value, str) and units.seconds(value) < SEGMENT_RETRIES_S:
            findings.warn(path, "Segment tries again for about 4 hours: what comes late by more is lost")


def _check_write_keys(data: Mapping[str, Any], environ: Mapping[str, str], findings: Findings) -> None:
    """A key belongs to one source, whatever variables it stands in."""
    owners: dict[str, str] = {}
    for name, source in mappings(data.get("sources")):
        place, value = ("sources", name, "write_key_env"), source.get("write_key_env")
        for variable in [value] if isinstance(value, str) else [found for _, found in texts(value)]:
            owner = owners.setdefault(environ.get(variable) or variable, name)
            if owner != name:
                findings.error(place, f"{variable} holds the write key of the source {owner} already")


def _check_paths(data: Mapping[str, Any], findings: Findings) -> None:
    taken: dict[str, str] = {}
    routes = data.get("routes")
    for name, source in mappings(data.get("sources")):
        paths = source.get("paths")
        default = {name: "all"} if "verify" in source else {}
        written = paths if isinstance(paths, dict) else default
        for path, feeds in written.items():
            place: Path = ("sources", name, *(("paths", path) if isinstance(paths, dict) else ()))
            if path in taken:
                findings.error(place, f"the path {path} belongs to the source {taken[path]} already")
            taken.setdefault(path, name)
            _check_feeds(place, name, feeds, routes if isinstance(routes, dict) else {}, findings)


def _check_feeds(path: Path, source: str, feeds: Any, routes: dict[str, Any], findings: Findings) -> None:
    for at, name in texts(feeds):
        route = routes.get(name)
        if name not in routes:
            findings.unknown((*path, at), "no route is called", name, routes)
        elif (
            isinstance(route, dict)
            and isinstance(taken := route.get("sources"), list)
            and source not in taken
        ):
            findings.warn(
                (*path, at), f"the route {name} does not take messages of {source}: see its sources"
            )


def _check_route(
    path: Path,
    route: dict[str, Any],
    data: Mapping[str, Any],
    environ: Mapping[str, str],
    findings: Findings,
) -> None:
    sources = data.get("sources")
    for at, name in texts(route.get("sources")):
        if not isinstance(sources, dict) or name not in sources:
            findings.unknown((*path, "sources", at), "no source is called", name, sources or ())
    types = [name for _, name in texts(route.get("types"))]
    if "events" in route and types and "track" not in types:
        findings.error(
            (*path, "events"), "only track messages have an event; add track to types, or remove events"
        )
    for at, name in texts(route.get("types")):
        close = get_close_matches(name.lower(), KNOWN_TYPES, n=1, cutoff=0.8)
        if name not in KNOWN_TYPES and close:
            findings.warn((*path, "types", at), f"Segment sends no type {name}; did you mean {close[0]}?")
    _check_where((*path, "where"), route, types, findings)
    queue = route.get("queue")
    if isinstance(queue, str) and queue in RESERVED_QUEUES:
        findings.error(
            (*path, "queue"), f"{queue} is the queue of {RESERVED_QUEUES[queue]}; take another name"
        )
    check_steps((*path, "steps"), route.get("steps"), data, environ, findings)


def _check_where(path: Path, route: dict[str, Any], types: list[str], findings: Findings) -> None:
    where = check_fql(path, route.get("where"), findings)
    if where is None:
        return
    if "steps" in where.roots:
        findings.warn(path, "no step has run when routes are chosen; use when of a later step")
    if "events" in route and not types:
        types = ["track"]
    asked = where.only("type")
    if asked is not None and (not asked or (types and asked.isdisjoint(types))):
        said = f"it asks for {_or(asked)}, types for {_or(types)}" if asked else "no message has two types"
        findings.warn(path, f"no message can pass: {said}")


def _or(names: Iterable[str]) -> str:
    return " or ".join(sorted(names))
