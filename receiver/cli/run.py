"""`hookyard workers`: becomes the workers' supervisor. The receiver's package never imports workers."""

import os

import click

from receiver.cli.project import to_serve
from receiver.core.interpreter import OUR_PYTHON


@click.command()
@click.option("-n", "number", type=click.IntRange(1, 256), metavar="N", help="Worker processes a queue [1].")
@click.option("--queues", metavar="A,B", help="Only these queues [all of routes.yaml, and replay].")
def workers(number: int | None, queues: str | None) -> None:
    """Run the workers of all queues.

    One supervisor keeps N worker processes a queue alive, until SIGTERM or Ctrl-C. A changed routes.yaml
    takes effect within seconds, or at once on SIGHUP, which loads handlers anew too, if all of it is valid;
    if not, what is in force stays and the log says why. What runs may finish.
    """
    project = to_serve()
    command = [*OUR_PYTHON, "workers", "run"]
    if number is not None:
        command += ["-n", str(number)]
    if queues is not None:
        command += ["--queues", queues]
    os.execve(command[0], command, dict(project.environ))  # noqa: S606 - a list, no shell
