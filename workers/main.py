"""`python -m workers run | work | check`: the worker side's commands. `hookyard workers` calls the first.

The supervisor gives the others the text of routes.yaml on standard input: the file may not be valid just now.
"""

import argparse
import os
import signal
import sys

from redis.exceptions import RedisError

from receiver.core import log as logs
from receiver.core import routes_file
from receiver.core.clients import connect
from receiver.core.errors import ConfigError
from receiver.core.settings import Settings
from workers import given, jobs, rq_worker, setup
from workers.supervisor import Supervisor

MOST_WORKERS = 256


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the exit code is 0 done, 1 failed, 2 wrong use or configuration."""
    options = _parser().parse_args(arguments)
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - the user's handler modules live in the current folder
    try:
        code: int = options.command(options)
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return 2
    except (RedisError, OSError) as error:
        print(f"Redis cannot be reached: {error}", file=sys.stderr)
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m workers")
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser("run", help="a supervisor with N workers a queue")
    run.add_argument("-n", type=_count, default=1, help="workers a queue, 1 to 256")
    run.add_argument("--queues", default="", help="comma-separated; default: all queues of routes.yaml")
    run.add_argument(
        "--led", action="store_true", help="read routes.yaml on SIGHUP only, without trying its handlers"
    )
    run.set_defaults(command=_run)
    work = commands.add_parser("work", help="one worker of one queue, for one drain")
    work.add_argument("--queue", required=True)
    work.add_argument("--name", required=True)
    work.add_argument("--burst", action="store_true", help="end when the queue has no job")
    work.add_argument("--given", action="store_true", help="routes.yaml is on standard input")
    work.set_defaults(command=_work)
    check = commands.add_parser("check", help="import every handler of routes.yaml")
    check.add_argument("--given", action="store_true", help="routes.yaml is on standard input")
    check.set_defaults(command=_check)
    return parser


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {MOST_WORKERS}")
    return int(text)


def _run(options: argparse.Namespace) -> int:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the supervisor listens to it
    ready = setup.load()
    logs.configure(ready.settings.log_level)
    setup.require_handlers(ready.config)
    named = tuple(queue for queue in options.queues.split(",") if queue)
    known = setup.queues(ready.config)
    unknown = [queue for queue in named if queue not in known]
    if unknown:
        print(f"no route has queue {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    Supervisor(ready, queues=named, workers=options.n, led=options.led).run()
    return 0


def _work(options: argparse.Namespace) -> int:
    ready = setup.load(text=_given() if options.given else None)
    logs.configure(ready.settings.log_level)
    setup.require_handlers(ready.config)
    jobs.prepared = ready
    rq_url = ready.settings.rq_url.reveal() if ready.settings.rq_url is not None else ready.url
    worker = rq_worker.make(options.queue, options.name, connect(rq_url), ready.url, ready.jobs)
    worker.work(burst=options.burst, max_jobs=1, logging_level="WARNING")
    return 0


def _given() -> str:
    return sys.stdin.buffer.read().decode()


def _check(options: argparse.Namespace) -> int:
    path = Settings.from_env(os.environ).routes
    text = _given() if options.given else routes_file.text_of(path)
    setup.require_handlers(routes_file.parse(text, file=str(path), environ=os.environ))
    print(given.CHECKED)
    return 0
