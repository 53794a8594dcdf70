"""The checks of `hookyard doctor`: an explicit list of functions, each answering findings about one thing.

A check must not raise for what it is there to find; errors of Redis in the middle are caught by the doctor.
"""

from collections.abc import Callable, Iterator

from receiver.cli.findings import Case, Finding
from receiver.cli.queue_checks import QUEUE_CHECKS
from receiver.cli.version_checks import versions
from receiver.core.aof import damaged_tail
from receiver.core.clock import SYSTEM
from receiver.core.data_dir import DataDir, server_runs
from receiver.core.durability import REFUSE_AT, judge_now
from receiver.core.embedded import MIN_FREE_BYTES
from receiver.core.settings import injected
from receiver.core.units import human_bytes

Check = Callable[[Case], Iterator[Finding]]

OLDEST_REDIS = (7, 0)
SKEW_MS = 1000
"""Tolerated difference of the clocks: due times are written by one machine and read by others."""
FULLISH = 0.7
"""Share of maxmemory from which to warn, well before the receiver refuses."""


def environment(case: Case) -> Iterator[Finding]:
    for name in injected(case.environ):
        yield Finding(
            level="warning",
            title=f"{name} is ignored",
            detail="Kubernetes sets it for a service called hookyard.",
            fix="Set enableServiceLinks: false, or give the service another name.",
        )


def routes_file(case: Case) -> Iterator[Finding]:
    if case.config is None:
        return
    for warning in case.config.warnings:
        yield Finding(level="warning", title="routes.yaml", detail=str(warning))
    counts = (
        f"{len(case.config.sources)} sources, {len(case.config.routes)} routes, version {case.config.version}"
    )
    yield Finding(level="ok", title=str(case.settings.routes), detail=counts)


def disk(case: Case) -> Iterator[Finding]:
    """Of the embedded Valkey; another Redis has a disk that cannot be seen from here."""
    if case.settings.redis_url is not None:
        return
    free = DataDir(case.settings.data_dir).free_bytes()
    enough = free >= MIN_FREE_BYTES
    yield Finding(
        level="ok" if enough else "error",
        title="free disk",
        detail=f"{human_bytes(free)} at {case.settings.data_dir}",
        fix=""
        if enough
        else f"Free some, or move HOOKYARD_DATA_DIR: it needs {human_bytes(MIN_FREE_BYTES)}.",
    )


def append_only_file(case: Case) -> Iterator[Finding]:
    """The embedded Valkey's, while it does not run."""
    if case.settings.redis_url is not None or server_runs(case.settings.data_dir):
        return
    damage = damaged_tail(case.settings.data_dir)
    if damage is not None:
        what = "zero bytes" if damage.zeros else "bytes that are no whole command"
        yield Finding(
            level="error",
            title="append-only file",
            detail=f"{damage.file} ends with {damage.cut} {what}, as after a power cut.",
            fix="hookyard doctor --fix cuts them off and keeps a copy.",
        )


def redis_version(case: Case) -> Iterator[Finding]:
    if case.redis is None:
        return
    info = case.redis.info("server")
    valkey = "valkey_version" in info
    name, version = ("Valkey", info["valkey_version"]) if valkey else ("Redis", info["redis_version"])
    numbers = tuple(int(part) for part in str(version).split(".")[:2] if part.isdigit())
    good = valkey or numbers >= OLDEST_REDIS
    yield Finding(
        level="ok" if good else "error",
        title=f"{name} {version}",
        fix="" if good else "Hookyard needs Redis 7.0 or newer, or Valkey.",
    )


def durability(case: Case) -> Iterator[Finding]:
    if case.redis is None:
        return
    verdict = judge_now(case.redis)
    if verdict.durable:
        yield Finding(level="ok", title="persistence", detail="a 200 means: on disk")
        return
    enough = verdict.enough_for(case.settings.durability)
    for sentence in verdict.sentences():
        yield Finding(level="warning" if enough else "error", title="persistence", detail=sentence)


def memory(case: Case) -> Iterator[Finding]:
    if case.redis is None:
        return
    verdict = judge_now(case.redis)
    used = human_bytes(verdict.memory_used)
    if not verdict.maxmemory and case.settings.redis_url is None:
        yield Finding(level="ok", title="memory", detail=f"{used} used")
        return
    if not verdict.maxmemory:
        yield Finding(
            level="warning",
            title="memory",
            detail=f"{used} used, no limit: when the machine's memory ends, the system kills Redis.",
            fix=f"Set maxmemory: at {REFUSE_AT:.0%} of it the receiver answers 503, and nothing is lost.",
        )
        return
    full = verdict.memory_share >= FULLISH
    yield Finding(
        level="error" if verdict.full else "warning" if full else "ok",
        title="memory",
        detail=f"{used} of {human_bytes(verdict.maxmemory)} used ({verdict.memory_share:.0%})",
        fix=f"At {REFUSE_AT:.0%} the receiver answers 503: raise maxmemory or shorten HOOKYARD_RETENTION_AGE."
        if full
        else "",
    )


def clock_skew(case: Case) -> Iterator[Finding]:
    if case.redis is None:
        return
    before = SYSTEM.now_ms()
    seconds, microseconds = case.redis.time()
    after = SYSTEM.now_ms()
    theirs = int(seconds) * 1000 + int(microseconds) // 1000
    skew = max(before - theirs, theirs - after, 0)
    yield Finding(
        level="ok" if skew <= SKEW_MS else "warning",
        title="clocks",
        detail=f"this machine and Redis differ by {skew} ms",
        fix="" if skew <= SKEW_MS else "Retries come due early or late by that much: run NTP on both.",
    )


CHECKS: tuple[Check, ...] = (
    environment,
    routes_file,
    disk,
    append_only_file,
    redis_version,
    durability,
    memory,
    clock_skew,
    versions,
    *QUEUE_CHECKS,
)
