"""`hookyard segment api`: any request to one of a connection's APIs."""

from typing import get_args

import click

from receiver.cli import bodies, calling
from receiver.cli.project import here
from receiver.core.connections import Api
from receiver.core.segment.request import METHODS, InvalidRequest, api_call


@click.command()
@calling.connection_option
@click.option(
    "--api",
    "name",
    type=click.Choice(get_args(Api)),
    default="tracking",
    show_default=True,
    help="Which of Segment's APIs.",
)
@click.option("--method", type=click.Choice(METHODS), help="Left out: POST with a body, else GET.")
@click.option("--path", metavar="PATH", required=True, help="Below the API's address, such as /v1/group/.")
@click.option("--header", "headers", metavar="NAME:VALUE", multiple=True, help="May be repeated.")
@click.option("--query", metavar="NAME=VALUE", multiple=True, help="May be repeated.")
@click.option("--body", metavar="TEXT", help="Sent as it is.")
@bodies.file_option
@calling.dry_run_option
@calling.json_option
def api(
    connection: str | None,
    name: Api,
    method: str | None,
    path: str,
    headers: tuple[str, ...],
    query: tuple[str, ...],
    body: str | None,
    file: str | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Make any request to Segment, and show its answer.

    The credential and the type of the body (JSON) are added, unless --header says otherwise.
    """
    problems: list[str] = []
    if body is not None and file is not None:
        problems.append("--body, --file: give one of them")
    asked: dict[str, list[str]] = {}
    for key, value in _pairs(query, "=", "--query", problems):
        asked.setdefault(key, []).append(value)
    given = dict(_pairs(headers, ":", "--header", problems))
    if problems:
        raise bodies.refused(problems)
    sent = bodies.content(file) if file is not None else None if body is None else _bytes(body)
    by = calling.chosen(here(), connection, name)
    try:
        made = api_call(
            by,
            name,
            method=method or ("GET" if sent is None else "POST"),
            path=path,
            query=asked,
            headers=given,
            body=sent,
        )
    except InvalidRequest as error:
        raise bodies.refused(f"--{where}: {sentence}" for where, sentence in error.problems) from None
    if dry_run:
        calling.show(made, as_json=as_json)
        return 0
    return calling.show_answer(calling.exchange(made), as_json=as_json)


def _pairs(written: tuple[str, ...], between: str, option: str, problems: list[str]) -> list[tuple[str, str]]:
    found = []
    for text in written:
        name, sign, value = text.partition(between)
        if not (sign and name.strip()):
            problems.append(f"{option}: {text!r} has no {between}")
        found.append((name.strip(), value.strip() if between == ":" else value))
    return found


def _bytes(text: str) -> bytes:
    """As the shell gave them."""
    return text.encode("utf-8", "surrogateescape")
