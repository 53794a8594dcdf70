"""What a command finds around it: the settings, and the environment with the secrets `hookyard dev` made."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace

from receiver.cli.dev_secrets import with_kept
from receiver.core.data_dir import resolve_redis_url
from receiver.core.settings import Secret, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Settings, and the environment to look secrets up in."""

    settings: Settings
    environ: Mapping[str, str]


def here() -> Project:
    """For commands that look or send: secrets made by `hookyard dev` count. Raises ConfigError."""
    settings = Settings.from_env(os.environ)
    return Project(settings=settings, environ=with_kept(os.environ, settings.data_dir))


def to_serve() -> Project:
    """For receiver and workers: the Redis is known; secrets of `hookyard dev` count only on its Valkey.

    Raises ConfigError when no Redis is configured and none runs here.
    """
    settings = Settings.from_env(os.environ)
    url = resolve_redis_url(settings)
    environ = dict(os.environ) if settings.redis_url else with_kept(os.environ, settings.data_dir)
    return Project(
        settings=replace(settings, redis_url=Secret(url)), environ=environ | {"HOOKYARD_REDIS_URL": url}
    )
