"""Routes that no message can reach. Every route gets what it takes, so none hides another; but the paths of
its sources may feed others alone. Takes data of any shape, like `routes_check`.
"""

from collections.abc import Mapping
from typing import Any

from receiver.core.findings import Findings, mappings, texts


def check_reach(data: Mapping[str, Any], findings: Findings) -> None:
    """Note the routes that get nothing, and why."""
    sources = dict(mappings(data.get("sources")))
    for name, route in mappings(data.get("routes")):
        if route.get("enabled") is not False:
            _check_sources(name, route, sources, findings)


def _check_sources(name: str, route: dict[str, Any], sources: Mapping[str, Any], findings: Findings) -> None:
    wanted = [source for _, source in texts(route.get("sources"))] or list(sources)
    known = [source for source in wanted if source in sources]
    feeding = [source for source in known if _feeds(source, sources[source], name)]
    if known and not feeding:
        said = f"no message reaches it: no path of {', '.join(known)} feeds it"
        findings.warn(("routes", name), said)
    elif feeding and all(sources[source].get("enabled") is False for source in feeding):
        said = f"only replays reach it: {', '.join(feeding)} has enabled: false"
        findings.warn(("routes", name), said)


def _feeds(name: str, source: dict[str, Any], route: str) -> bool:
    """Whether the source has a way in that feeds the route."""
    if "write_key_env" in source:
        return True
    paths = source.get("paths")
    if not isinstance(paths, dict):
        return True
    return any(feeds == "all" or route in [one for _, one in texts(feeds)] for feeds in paths.values())
