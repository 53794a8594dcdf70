"""The check of `hookyard doctor` about routes.yaml in several places: which version is served where."""

from collections.abc import Iterator

from receiver.cli.findings import Case, Finding
from receiver.core import keys, processes, scripts
from receiver.core.clock import SYSTEM
from receiver.core.processes import Process

HERE = "this folder"


def versions(case: Case) -> Iterator[Finding]:
    """Receivers and workers may differ for a while; not for long, and not without somebody who knows."""
    if case.redis is None:
        return
    found = scripts.run_now(case.redis, processes.listed(now_ms=SYSTEM.now_ms()))
    yield from (_refused(one) for one in found if one.refused)
    stored = case.redis.hget(keys.key("META"), "config")
    in_force = stored.decode() if isinstance(stored, bytes) else ""
    here = case.config.version if case.config is not None else ""
    served = {one.version for one in found}
    if not found:
        return
    if served == {here or found[0].version}:
        yield Finding(
            level="ok", title="versions", detail=f"{_processes(len(found))}, all by {found[0].version}"
        )
        return
    all_of_them = sorted(served | {here} - {""})
    yield Finding(
        level="warning",
        title="routes.yaml differs",
        detail="; ".join(_where(version, found, here, in_force) for version in all_of_them),
        fix="Copy the same file everywhere; SIGHUP has it read at once. Until then the version in force says "
        "which queue and limits a route has, and a route it does not name is held.",
    )


def _refused(one: Process) -> Finding:
    return Finding(
        level="warning",
        title=f"{_named(one)} does not go by its routes.yaml",
        detail=f"{one.refused} (version {one.version} stays in force)",
        fix="Correct the file. Secrets that are new need a restart, handlers that were corrected a SIGHUP.",
    )


def _where(version: str, found: list[Process], here: str, in_force: str) -> str:
    places = sorted({_named(one) for one in found if one.version == version})
    if version == here:
        places.append(HERE)
    return f"{version}{' (in force)' if version == in_force else ''}: {', '.join(places)}"


def _named(one: Process) -> str:
    return f"{one.kind} on {one.host}" if one.kind == "workers" else f"receiver {one.pid} on {one.host}"


def _processes(count: int) -> str:
    return f"{count} process{'' if count == 1 else 'es'}"
