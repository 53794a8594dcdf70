"""Settings: the environment, typed, complete before the first request. One field, one line of meaning.

An unknown `HOOKYARD_*` is an error, except what Kubernetes injects for a service of that name.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, cast

from receiver.core import units
from receiver.core.errors import ConfigError, Problem

PREFIX = "HOOKYARD_"
INJECTED = re.compile(r"HOOKYARD_(SERVICE_|PORT_)|HOOKYARD_PORT$")
"""What Kubernetes sets for a service called hookyard (HOOKYARD_PORT only when it holds an URL)."""

Durability = Literal["fsync", "relaxed"]


class Secret:
    """A text that never shows itself in logs or tracebacks; call `reveal()` where it is used."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def reveal(self) -> str:
        return self._value


def _port(value: str) -> int:
    if not value.isdigit() or not 0 <= int(value) <= 65535:
        raise ValueError(f"{value!r} is not a port number")
    return int(value)


def _positive(value: str) -> int:
    if not value.isdecimal() or int(value) < 1:
        raise ValueError(f"{value!r} is not a number above 0; write for example 5000000")
    return int(value)


def _durability(value: str) -> Durability:
    if value not in ("fsync", "relaxed"):
        raise ValueError(f"{value!r} is neither fsync nor relaxed")
    return cast(Durability, value)


def _level(value: str) -> str:
    if value.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError(f"{value!r} is none of debug, info, warning, error")
    return value.upper()


def _read(parse: Callable[[str], Any], doc: str) -> dict[str, Any]:
    """How a field is read from its variable, and what it means."""
    return {"parse": parse, "doc": doc}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the environment decides. Durations are seconds, sizes are bytes."""

    host: str = field(default="127.0.0.1", metadata=_read(str, "address the receiver listens on"))
    port: int = field(default=8000, metadata=_read(_port, "port the receiver listens on"))
    redis_url: Secret | None = field(
        default=None,
        metadata=_read(Secret, "Redis or Valkey of the store; unset: the embedded one of `hookyard dev`"),
    )
    rq_url: Secret | None = field(
        default=None, metadata=_read(Secret, "another Redis for RQ's own data; unset: the same")
    )
    routes: Path = field(default=Path("routes.yaml"), metadata=_read(Path, "the routes file"))
    data_dir: Path = field(default=Path(".hookyard"), metadata=_read(Path, "folder of the embedded Valkey"))
    admin_token: Secret | None = field(
        default=None, metadata=_read(Secret, "bearer token that shows the detail of /readyz")
    )
    durability: Durability = field(
        default="fsync",
        metadata=_read(
            _durability, "fsync: refuse to be ready unless a 200 means on disk; relaxed: take what Redis has"
        ),
    )
    retention_age: float = field(
        default=30 * 86400.0,
        metadata=_read(units.seconds, "how long settled messages are kept and can be replayed"),
    )
    retention_bytes: int | None = field(
        default=None,
        metadata=_read(
            units.size_bytes, "most bytes of kept messages; unset: by age, and up to 75 % of Redis' maxmemory"
        ),
    )
    dedup_window: float = field(
        default=86400.0, metadata=_read(units.seconds, "how long a repeated messageId counts as a repeat")
    )
    max_body: int = field(
        default=8_000_000, metadata=_read(units.size_bytes, "largest request body, also after inflation")
    )
    max_message: int = field(
        default=512_000, metadata=_read(units.size_bytes, "largest single message on /hooks")
    )
    max_open: int = field(
        default=5_000_000,
        metadata=_read(
            _positive, "most messages with open deliveries or dead letters; above it the receiver answers 503"
        ),
    )
    drain_length: float = field(
        default=300.0, metadata=_read(units.seconds, "how long a drain stays on duty before it hands over")
    )
    grace: float = field(
        default=20.0, metadata=_read(units.seconds, "time running work gets to finish when workers stop")
    )
    log_level: str = field(default="INFO", metadata=_read(_level, "debug, info, warning or error"))

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read all settings; raises ConfigError with every problem at once."""
        known = {PREFIX + item.name.upper(): item for item in fields(cls)}
        problems: list[Problem] = []
        values: dict[str, Any] = {}
        for name, value in environ.items():
            if not name.startswith(PREFIX) or is_injected(name, value):
                continue
            item = known.get(name)
            if item is None:
                problems.append(Problem("environment", None, name, _unknown(name, list(known))))
                continue
            if value == "":
                continue
            try:
                values[item.name] = item.metadata["parse"](value)
            except ValueError as error:
                problems.append(Problem("environment", None, name, str(error)))
        if problems:
            raise ConfigError(problems)
        return cls(**values)


def is_injected(name: str, value: str) -> bool:
    """Whether Kubernetes, not a person, set this variable."""
    if name == PREFIX + "PORT":
        return "://" in value
    return bool(INJECTED.match(name))


def injected(environ: Mapping[str, str]) -> list[str]:
    """The variables that are ignored as Kubernetes' own: worth a warning."""
    return sorted(
        name for name, value in environ.items() if name.startswith(PREFIX) and is_injected(name, value)
    )


def _unknown(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return "unknown setting" + (f"; did you mean {close[0]}?" if close else "; see docs/settings.md")


def described() -> list[tuple[str, str, str]]:
    """Name, default and meaning of each setting, for `hookyard doctor` and docs/settings.md."""
    rows = []
    for item in fields(Settings):
        default = item.default
        if item.name in ("retention_age", "dedup_window", "drain_length", "grace"):
            default = units.human_seconds(cast(float, default))
        elif item.name in ("max_body", "max_message"):
            default = units.human_bytes(cast(int, default)).replace(" ", "").replace(".0", "")
        rows.append(
            (PREFIX + item.name.upper(), "" if default is None else str(default), item.metadata["doc"])
        )
    return rows
