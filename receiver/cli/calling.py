"""What the commands that talk to Segment share: the connection they use, sending, and showing a request."""

import json

import click

from receiver.cli.console import plain, print_json
from receiver.cli.project import Project
from receiver.cli.transport import Line, Reply
from receiver.cli.views import cut
from receiver.core import exact_json, release
from receiver.core.connections import CREDENTIALS, Api, Connection
from receiver.core.errors import ConfigError, Problem
from receiver.core.routes_file import load
from receiver.core.segment.answers import error_of
from receiver.core.segment.request import Request

SECONDS = 30.0
"""Longest time one request may take."""
LONGEST = 4_000_000
"""Bytes of an answer that are read."""

connection_option = click.option(
    "--connection", metavar="NAME", help="Connection of routes.yaml; needed if there are several."
)
dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Print the exact request, its credential masked, and send nothing."
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


def connections(project: Project) -> dict[str, Connection]:
    """Those of routes.yaml. Raises ConfigError."""
    return dict(load(project.settings.routes, project.environ).connections)


def chosen(project: Project, name: str | None, api: Api) -> Connection:
    """The connection to call `api` by. Raises ConfigError when it cannot be told."""
    every = connections(project)
    fit = {known: one for known, one in every.items() if one.credential(api) is not None}
    if name is None and len(fit) == 1:
        return next(iter(fit.values()))
    if name in fit:
        return fit[name]
    if name in every:
        sentence = f"the connection {name} has no {CREDENTIALS[api]}"
    elif name is not None:
        sentence = f"no connection is called {name}"
    else:
        sentence = "choose one with --connection" if fit else f"no connection has a {CREDENTIALS[api]}"
    known = f"; there are: {', '.join(fit)}" if fit else ""
    raise ConfigError([Problem(str(project.settings.routes), None, "connections", sentence + known)])


def exchange(made: Request, *, seconds: float = SECONDS) -> Reply:
    """Send one request. Raises CannotSend."""
    with Line(made.url, seconds=seconds, longest=LONGEST) as line:
        headers = {"User-Agent": f"Hookyard/{release.number()}", **made.headers}
        return line.exchange(made.method, line.target, headers=headers, body=made.body)


def show(made: Request, *, as_json: bool) -> None:
    """Print a request as it would be sent, without its secrets."""
    masked = made.masked()
    if as_json:
        body = None if made.body is None else text(made.body)
        print_json(
            {"method": masked.method, "url": masked.url, "headers": dict(masked.headers), "body": body}
        )
        return
    click.echo(f"{masked.method} {plain(masked.url)}")
    for name, value in masked.headers.items():
        click.echo(f"{name}: {plain(value)}")
    if made.body is not None:
        click.echo()
        click.echo(made.body)


def tell(reply: Reply, what: str, message_ids: list[str], *, as_json: bool) -> int:
    """Say how the tracking API answered a call, and answer the exit code."""
    good = 200 <= reply.status < 300
    if as_json:
        print_json(
            {
                "status": reply.status,
                "answer": parsed(reply.body),
                "message_ids": message_ids,
                "ms": round(reply.milliseconds, 1),
            }
        )
    elif good:
        ids = message_ids[0] if len(message_ids) == 1 else f"{message_ids[0]} and {len(message_ids) - 1} more"
        click.echo(f"{what}: {reply.status} in {reply.milliseconds:.0f} ms")
        click.echo(f"messageId {plain(ids)}")
        click.echo("A 200 is no proof that Segment keeps it: see the debugger of the source.")
    else:
        click.echo(f"{what}: {plain(answered(reply))}", err=True)
    return 0 if good else 1


def show_answer(reply: Reply, *, as_json: bool) -> int:
    """Print an answer whole, and answer the exit code."""
    body = parsed(reply.body)
    if as_json:
        head = {"status": reply.status, "headers": dict(reply.headers), "body": body}
        print_json({**head, "truncated": reply.truncated, "ms": round(reply.milliseconds, 1)})
    else:
        click.echo(f"{reply.status} in {reply.milliseconds:.0f} ms")
        for name, value in reply.headers.items():
            click.echo(f"{name}: {plain(value)}")
        if reply.body:
            words = body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False)
            click.echo("\n" + "\n".join(map(plain, words.splitlines())))
    return 0 if 200 <= reply.status < 300 else 1


def answered(reply: Reply) -> str:
    """What came back, in a line: `401 authentication_error …`, or the beginning of what is no error."""
    words = " ".join(filter(None, error_of(reply.body))) or cut(text(reply.body), 200)
    return f"answered {reply.status}" + (f": {words}" if words else "")


def text(body: bytes) -> str:
    """A body as text; what is not UTF-8 is replaced."""
    return body.decode("utf-8", "replace")


def parsed(body: bytes) -> object:
    """A body as JSON where it is JSON, else as text."""
    try:
        return exact_json.loads(body)
    except exact_json.NotJson:
        return text(body)
