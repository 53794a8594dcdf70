"""`hookyard connections check`: tries each credential of each connection, and says what that proves."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import click

from receiver.cli import calling
from receiver.cli.console import console, print_json, table
from receiver.cli.project import here
from receiver.cli.transport import CannotSend, Reply
from receiver.core.clock import SYSTEM
from receiver.core.connections import CREDENTIALS, Api, Connection
from receiver.core.errors import ConfigError, Problem
from receiver.core.segment import profile_talk
from receiver.core.segment.answers import error_of
from receiver.core.segment.profile import Lookup
from receiver.core.segment.request import Request, api_call, batch

NOBODY = "user_id:hookyard-connections-check"
"""Nobody's id: that it is not found is as good an answer as any."""
AT_ONCE = 8
SECONDS = 10.0
"""Longest time one try may take."""

Result = Literal["works", "fails", "unproven"]
Shown = tuple[Result, str]
"""A result, and what was seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What trying one credential showed."""

    connection: str
    credential: str
    """Its key in routes.yaml."""
    result: Result
    detail: str


@click.group()
def connections() -> None:
    """Try the credentials of the connections."""


@connections.command()
@calling.connection_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object a credential.")
def check(connection: str | None, as_json: bool) -> int:
    """Try each credential, and say whether it works and why not.

    Nothing is changed and no message is sent: it sends a batch without messages, a look-up of nobody, and a
    question for the workspace's name. The tracking API takes any write key, so that a right one cannot be
    proven. Exits with 1 when one fails.
    """
    found = list(_findings(connection))
    if as_json:
        for one in found:
            print_json(
                {
                    "connection": one.connection,
                    "credential": one.credential,
                    "result": one.result,
                    "detail": one.detail,
                }
            )
    elif found:
        rows = [(one.connection, one.credential, one.result, one.detail) for one in found]
        console().print(table(("connection", "credential", "result", "what was seen"), rows))
    else:
        click.echo("routes.yaml has no connections.")
    return 1 if any(one.result == "fails" for one in found) else 0


def _findings(name: str | None) -> Iterator[Finding]:
    """In the order of routes.yaml. Raises ConfigError."""
    project = here()
    every = calling.connections(project)
    if name is not None and name not in every:
        known = ", ".join(every) or "none"
        sentence = f"no connection is called {name}; there are: {known}"
        raise ConfigError([Problem(str(project.settings.routes), None, "connections", sentence)])
    tries = [
        (one, api)
        for one in every.values()
        if name in (None, one.name)
        for api in CREDENTIALS
        if one.credential(api) is not None
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(lambda case: _tried(*case), tries)


def _tried(connection: Connection, api: Api) -> Finding:
    made, judged = TRIES[api]
    try:
        result, detail = judged(calling.exchange(made(connection), seconds=SECONDS))
    except CannotSend as error:
        result, detail = "fails", error.message
    return Finding(connection=connection.name, credential=CREDENTIALS[api], result=result, detail=detail)


def _empty_batch(connection: Connection) -> Request:
    return batch(connection, [], sent_at_ms=SYSTEM.now_ms())


def _tracking(reply: Reply) -> Shown:
    """Any key is answered 200, but for one that is far too short; an empty batch may be answered 400."""
    if reply.status not in (200, 400) or "write key" in error_of(reply.body)[1]:
        return "fails", calling.answered(reply)
    return "unproven", (
        "cannot be proven: Segment answers 200 to any key. Send a message with `hookyard segment track` and "
        "look for it in the source's debugger"
    )


def _look_up(connection: Connection) -> Request:
    return profile_talk.request(connection, next(profile_talk.talk(Lookup.of("metadata", NOBODY, {}))))


def _profile(reply: Reply) -> Shown:
    """Whatever answers 200 with something else is not the Profile API."""
    code, sentence = error_of(reply.body)
    answer = calling.parsed(reply.body)
    is_found = reply.status == 200 and isinstance(answer, dict) and "metadata" in answer
    if is_found or (reply.status == 404 and code == "not_found" and "space" not in sentence):
        return "works", "token and space were accepted"
    return "fails", calling.answered(reply)


def _workspace(connection: Connection) -> Request:
    return api_call(connection, "public", method="GET", path="/")


def _public(reply: Reply) -> Shown:
    """Whatever answers 200 with something else is not the Public API."""
    answer: Any = calling.parsed(reply.body)
    try:
        name = answer["data"]["workspace"]["name"]
    except (TypeError, KeyError):
        return "fails", calling.answered(reply)
    return ("works", f"workspace {name}") if reply.status == 200 else ("fails", calling.answered(reply))


TRIES: dict[Api, tuple[Callable[[Connection], Request], Callable[[Reply], Shown]]] = {
    "tracking": (_empty_batch, _tracking),
    "profile": (_look_up, _profile),
    "public": (_workspace, _public),
}
"""API → a request that changes nothing, and what its answer shows."""
