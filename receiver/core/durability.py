"""Judges whether a Redis keeps what it acknowledged, and how full it is.

With `HOOKYARD_DURABILITY=fsync` a 200 means *on disk*; anything weaker than the four settings below makes
that untrue, so the receiver is not ready on it. A setting that may not be read is unknown, which is not the
same as good. Reading is the only thing this module does with Redis; it never changes a setting.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import ResponseError

from receiver.core.settings import Durability

NEEDED = {
    "appendonly": ("yes", "what it acknowledged is lost when it ends"),
    "appendfsync": ("always", "up to a second of acknowledged messages is lost with the power"),
    "no-appendfsync-on-rewrite": ("no", "acknowledged messages wait in memory while the file is rewritten"),
    "maxmemory-policy": ("noeviction", "it throws messages away when memory is short"),
}
"""Setting → the value that keeps the promise, and what happens with any other."""

SECTIONS = ("server", "memory", "persistence", "replication")
REFUSE_AT = 0.9
"""Share of maxmemory at which the receiver refuses: RQ's own writes must still fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weakness:
    """A setting that breaks the promise."""

    setting: str
    value: str
    needed: str
    meaning: str

    @property
    def config_line(self) -> str:
        """The line for redis.conf (or, after `CONFIG SET`, for a running server)."""
        return f"{self.setting} {self.needed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one Redis promises at this moment."""

    weaknesses: tuple[Weakness, ...]
    unknown: tuple[str, ...]
    """Settings that this user may not read."""
    write_error: bool
    """Its last write to the append-only file failed."""
    replica: bool
    memory_used: int
    """Bytes."""
    maxmemory: int
    """Bytes; 0: no limit."""

    @property
    def durable(self) -> bool:
        """Whether an acknowledged write is on disk, for certain."""
        return not (self.weaknesses or self.unknown or self.write_error)

    @property
    def memory_share(self) -> float:
        """Used memory as a share of the limit; 0.0 without a limit."""
        return self.memory_used / self.maxmemory if self.maxmemory else 0.0

    @property
    def full(self) -> bool:
        """Whether new messages must be refused so that the rest can be worked off."""
        return self.memory_share >= REFUSE_AT

    def enough_for(self, durability: Durability) -> bool:
        return durability == "relaxed" or self.durable

    def sentences(self) -> list[str]:
        """What is not as it must be, each with what to change; empty when durable."""
        said = [
            f"{weak.setting} is {weak.value!r}: {weak.meaning}. Set `{weak.config_line}`."
            for weak in self.weaknesses
        ]
        if self.unknown:
            names = ", ".join(self.unknown)
            said.append(
                f"unknown, because CONFIG GET is not allowed here: {names}. Allow it (`ACL SETUSER …"
                " +config|get`), or check them yourself and set HOOKYARD_DURABILITY=relaxed."
            )
        if self.write_error:
            said.append("its last write to the append-only file failed; see its log, and the disk.")
        return said


def verdict(info: Mapping[str, Any], config: Mapping[Any, Any] | None) -> Verdict:
    """Judge what INFO said, and CONFIG GET (None: not allowed). Pure."""
    values = _values(info, config)
    return Verdict(
        weaknesses=tuple(
            Weakness(setting=name, value=values[name], needed=needed, meaning=meaning)
            for name, (needed, meaning) in NEEDED.items()
            if name in values and values[name] != needed
        ),
        unknown=tuple(name for name in NEEDED if name not in values),
        write_error=info.get("aof_last_write_status", "ok") != "ok",
        replica=info.get("role") == "slave",
        memory_used=int(info.get("used_memory", 0)),
        maxmemory=int(info.get("maxmemory", 0)),
    )


async def judge(redis: AsyncRedis) -> Verdict:
    """Read and judge: two calls. Raises redis' errors when it cannot be reached."""
    info = await redis.info(*SECTIONS)
    try:
        config = await redis.config_get(*NEEDED)
    except ResponseError:
        config = None
    return verdict(info, config)


def judge_now(redis: Redis) -> Verdict:
    """`judge` for the command line."""
    info = redis.info(*SECTIONS)
    try:
        config = redis.config_get(*NEEDED)
    except ResponseError:
        config = None
    return verdict(info, config)


def _values(info: Mapping[str, Any], config: Mapping[Any, Any] | None) -> dict[str, str]:
    """The settings that are known: INFO tells two of the four even where CONFIG is forbidden."""
    values: dict[str, str] = {}
    if "aof_enabled" in info:
        values["appendonly"] = "yes" if int(info["aof_enabled"]) else "no"
    if "maxmemory_policy" in info:
        values["maxmemory-policy"] = str(info["maxmemory_policy"])
    for name, value in (config or {}).items():
        values[str(name)] = str(value)
    return values
