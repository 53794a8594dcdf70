"""`hookyard dev`: Valkey, receiver and workers on this machine, and what a newcomer needs to see."""

import asyncio
import os
from dataclasses import replace

import click

from receiver.cli.listen import bind
from receiver.cli.reload import read
from receiver.cli.screen import Screen
from receiver.cli.stage import Stage
from receiver.core.data_dir import resolve_redis_url
from receiver.core.embedded import EmbeddedValkey
from receiver.core.settings import Settings

BACKLOG = 2048


@click.command()
@click.option("--demo", is_flag=True, help="Send sample messages and show what each route did with them.")
@click.option("--port", type=click.IntRange(0, 65535), metavar="PORT", help="[HOOKYARD_PORT, else 8000]")
def dev(demo: bool, port: int | None) -> int:
    """Run it all here: Valkey, receiver, workers; reload on change.

    Without HOOKYARD_REDIS_URL an embedded Valkey keeps its data in .hookyard/. Secrets of sources that are
    unset get a random value. Changes of routes.yaml and of handlers take effect at once, if they are valid.
    """
    settings = Settings.from_env(os.environ)
    if port is not None:
        settings = replace(settings, port=port)
    force = read(settings.routes, os.environ, settings.data_dir)
    valkey = None if settings.redis_url else EmbeddedValkey(settings.data_dir, os.environ)
    if valkey is not None:
        valkey.claim()
    try:
        store_url = valkey.url if valkey is not None else resolve_redis_url(settings)
        with bind(settings.host, settings.port) as bound:
            # From here on requests wait instead of being refused, also while the receiver restarts.
            bound.listen(BACKLOG)
            stage = Stage(settings, bound, valkey, store_url, Screen.here())
            return asyncio.run(stage.run(force, os.environ, show=demo))
    finally:
        if valkey is not None:
            valkey.release()
