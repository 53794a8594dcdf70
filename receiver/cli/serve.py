"""`hookyard receiver`: the HTTP side under uvicorn."""

import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import FrameType

import click
import uvicorn

from receiver.app import App
from receiver.cli.listen import address, bind
from receiver.cli.processes import Processes
from receiver.cli.project import to_serve
from receiver.core.following import Following
from receiver.core.log import configure
from receiver.core.routes_file import Loaded, loaded, parse
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
    """Run the HTTP side.

    A changed routes.yaml takes effect within two seconds, or at once on SIGHUP, if it is valid; if not, what
    is in force stays and the log says why.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until somebody listens to it
    project = to_serve()
    settings = replace(
        project.settings,
        host=project.settings.host if host is None else host,
        port=project.settings.port if port is None else port,
    )
    os.environ.update(project.environ)
    _configure_logs(settings)
    found = loaded(settings.routes, os.environ)
    for warning in found.config.warnings:
        log.warning(str(warning))
    bound = bind(settings.host, settings.port) if fd is None else socket.socket(fileno=fd)
    for sent in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sent, _leave)
    log.info("receiving", extra={"url": address(bound), "processes": processes})
    with bound:
        if processes > 1:
            return _serve_many(settings, bound, processes, found)
        return _serve_one(settings, bound, found, led=fd is not None)


def application(text: str) -> App:
    """What each of several processes serves. `text` is of routes.yaml: the file may not be valid just now."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    settings = Settings.from_env(os.environ)
    _configure_logs(settings)
    config = parse(text, file=str(settings.routes), environ=os.environ)
    return _built(settings, Loaded(text=text, config=config))


def _serve_one(settings: Settings, bound: socket.socket, found: Loaded, *, led: bool) -> int:
    """`led`: whoever started this process says when routes.yaml changed."""
    app = _built(settings, found, looks=not led)
    server = uvicorn.Server(_config(lambda: app))
    server.run(sockets=[bound])
    return 0 if server.started else 1


def _serve_many(settings: Settings, bound: socket.socket, processes: int, found: Loaded) -> int:
    following = Following(settings.routes, os.environ, found)
    Processes(lambda text: _config(partial(application, text), processes), [bound], following).run()
    return 0


def _built(settings: Settings, found: Loaded, *, looks: bool = True) -> App:
    app = build(settings, os.environ, found, looks=looks)
    gc.freeze()  # what is loaded by now stays: no need to look through it again
    gc.set_threshold(COLLECT_EVERY)
    return app


def _config(make: Callable[[], App], processes: int = 1) -> uvicorn.Config:
    return uvicorn.Config(
        make,
        factory=True,
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
