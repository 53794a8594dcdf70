"""What `hookyard doctor` may find, and what it looks at. The checks are in `receiver.cli.checks`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from redis import Redis

from receiver.core.routes import Config
from receiver.core.settings import Settings

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is well, or is not."""

    level: Level
    title: str
    detail: str = ""
    fix: str = ""
    """What to do about it; empty when nothing is to be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What could be read before the checks began; None for what could not."""

    settings: Settings
    environ: Mapping[str, str]
    config: Config | None = None
    redis: Redis | None = None
    """Answers, for certain, when the checks begin."""
