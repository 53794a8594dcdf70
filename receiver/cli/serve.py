"""`hookyard receiver`: the HTTP side under uvicorn."""

import gc
import logging
import os
import signal
import socket
import sys
from dataclasses import replace
from types import FrameType

import click
import uvicorn
from starlette.applications import Starlette
from uvicorn.supervisors import Multiprocess

from receiver.cli.listen import address, bind
from receiver.cli.project import to_serve
from receiver.core.log import configure
from receiver.core.routes_file import load
from receiver.core.settings import Settings
from receiver.opening import build
from receiver.protocol import BoundedHttp

log = logging.getLogger("hookyard.receiver")

BACKLOG = 2048
KEEP_ALIVE_SECONDS = 75
"""Longer than the 60 s of the usual load balancers, so that it is never us who closes a connection in use."""
GRACE_SECONDS = 10
"""How long requests may go on after SIGTERM: Segment itself waits no longer."""
COLLECT_EVERY = 20_000
"""Objects made and kept between two looks of the garbage collector. Its default of 700 is a few requests in
flight; it took 6 µs of each, and now and then 25 ms from all."""


@click.command()
@click.option("--host", metavar="ADDRESS", help="Address to listen on [HOOKYARD_HOST, else 127.0.0.1].")
@click.option("--port", type=click.IntRange(0, 65535), metavar="PORT", help="[HOOKYARD_PORT, else 8000]")
@click.option(
    "--processes", type=click.IntRange(1, 256), default=1, metavar="N", help="Processes on the port [1]."
)
@click.option("--fd", type=int, hidden=True, help="A bound socket inherited from `hookyard dev`.")
def receiver(host: str | None, port: int | None, processes: int, fd: int | None) -> int:
    """Run the HTTP side."""
    project = to_serve()
    settings = replace(
        project.settings,
        host=project.settings.host if host is None else host,
        port=project.settings.port if port is None else port,
    )
    os.environ.update(project.environ)
    _configure_logs(settings)
    for warning in load(settings.routes, os.environ).warnings:
        log.warning(str(warning))
    bound = bind(settings.host, settings.port) if fd is None else socket.socket(fileno=fd)
    for sent in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sent, _leave)
    log.info("receiving", extra={"url": address(bound), "processes": processes})
    with bound:
        return _serve_one(settings, bound) if processes == 1 else _serve_many(settings, bound, processes)


def application() -> Starlette:
    """What each of several processes serves: uvicorn calls it by name."""
    settings = Settings.from_env(os.environ)
    _configure_logs(settings)
    return _built(settings)


def _serve_one(settings: Settings, bound: socket.socket) -> int:
    server = uvicorn.Server(_config(_built(settings)))
    server.run(sockets=[bound])
    return 0 if server.started else 1


def _serve_many(settings: Settings, bound: socket.socket, processes: int) -> int:
    Multiprocess(_config("receiver.cli.serve:application", processes), [bound]).run()
    return 0


def _built(settings: Settings) -> Starlette:
    app = build(settings, os.environ)
    gc.freeze()  # what is loaded by now stays: no need to look through it again
    gc.set_threshold(COLLECT_EVERY)
    return app


def _config(app: Starlette | str, processes: int = 1) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        workers=processes,
        http=BoundedHttp,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def _configure_logs(settings: Settings) -> None:
    configure(settings.log_level)
    # Its lines on every start and stop say nothing that ours do not.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


def _leave(number: int, frame: FrameType | None) -> None:
    """uvicorn raises the signal again after a clean stop; that is no failure."""
    sys.exit(0)
