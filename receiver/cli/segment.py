"""`hookyard segment`: one call to Segment by hand, checked as a step checks it."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

import click

from receiver.cli import bodies, calling
from receiver.cli.console import plain
from receiver.cli.project import here
from receiver.cli.segment_api import api
from receiver.cli.segment_batch import batch
from receiver.core.segment import request
from receiver.core.segment.calls import InvalidCall, encode
from receiver.core.segment.fields import CALLS, SHAPES, Call
from receiver.core.segment.kinds import ADDRESS, COMPANY, OBJECT, SWITCHES, TEXTS, Kind

HELP: dict[Call, str] = {
    "identify": "Say who a user is.",
    "track": "Say what a user did.",
    "page": "Say which page of a website a user saw.",
    "screen": "Say which screen of an app a user saw.",
    "group": "Say which company or team a user belongs to.",
    "alias": "Say that a user has another id than before.",
}
HELP_OF: Mapping[str, str] = {
    "userId": "Id of the user in your database.",
    "anonymousId": "Id of a user who is not known by name.",
    "timestamp": "ISO 8601, for the past only.",
    "event": "Name of the event.",
    "name": "Name of the page or screen.",
    "category": "Category of the page or screen.",
    "groupId": "Id of the company or team.",
    "previousId": "The id until now.",
    "traits": "What is known of the user or group.",
    "properties": "What belongs to the event, page or screen.",
    "custom": "More traits or properties, none of a reserved name.",
    "context": "Segment's context.",
    "integrations": "Which destinations get it.",
    "messageId": "Left out: one is made up.",
}
IN_JSON = (OBJECT, SWITCHES, ADDRESS, COMPANY, TEXTS)
"""Kinds of values that are written as JSON."""


def _options(call: Call) -> dict[str, Kind]:
    """Every field of a call that is an option, and what it may hold: its own first, then reserved ones."""
    shape = SHAPES[call]
    own = {name: kind for name, kind in shape.direct.items() if name not in ("context", "integrations")}
    held = {name: OBJECT for name in (shape.container, "custom") if shape.container and name}
    flat = {name: kind for name, kind in shape.reserved.items() if name in shape.flat}
    return {**own, **held, "context": OBJECT, "integrations": SWITCHES, **flat}


def _option(call: Call, name: str, kind: Kind) -> Callable[..., Any]:
    metavar = "JSON" if kind in IN_JSON else "TEXT"
    about = f"Reserved: {kind.expected}." if name in SHAPES[call].flat else HELP_OF[name]
    return click.option(bodies.option(name), name, metavar=metavar, help=about)


def _command(call: Call) -> click.Command:
    """The subcommand of a call, with an option for each of its fields."""
    fields = _options(call)

    def run(
        connection: str | None,
        file: str | None,
        generate: bool,
        dry_run: bool,
        as_json: bool,
        **given: str | None,
    ) -> int:
        written = {name: value for name, value in given.items() if value is not None}
        problems: list[str] = []
        values = {**bodies.message(file), **_parsed(fields, written, problems)}
        if generate and "anonymousId" in written:
            problems.append("--anonymous-id, --generate-anonymous-id: give one of them")
        if generate:
            values["anonymousId"] = str(uuid.uuid4())
        return _run(call, values, problems, connection, dry_run=dry_run, as_json=as_json)

    generate = "--generate-anonymous-id"
    options = [
        calling.connection_option,
        *(_option(call, name, kind) for name, kind in fields.items()),
        click.option(generate, "generate", is_flag=True, help="Make up an anonymousId."),
        click.option("--message-id", "messageId", metavar="TEXT", help=HELP_OF["messageId"]),
        bodies.file_option,
        calling.dry_run_option,
        calling.json_option,
    ]
    for option in reversed(options):
        option(run)
    epilog = "Fields of --file stand in Segment's spelling; options win over them."
    return click.command(call, help=HELP[call], epilog=epilog)(run)


segment = click.Group(
    "segment",
    help="""Make one call to Segment by hand.

    Needs a connection with write_key_env. What Segment would drop is refused before it is sent, with exit
    code 2; what Segment refuses, or where nobody answers, ends with 1.""",
    commands=[*(_command(call) for call in CALLS), batch, api],
)


def _parsed(fields: Mapping[str, Kind], written: Mapping[str, str], problems: list[str]) -> dict[str, Any]:
    in_json = {name: text for name, text in written.items() if fields.get(name) in IN_JSON}
    return {**written, **dict.fromkeys(in_json), **bodies.objects(in_json, problems)}


def _run(
    call: Call,
    values: dict[str, Any],
    problems: list[str],
    connection: str | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> int:
    if values.get("type") == call:
        del values["type"]
    message_id = str(uuid.uuid4())
    try:
        encoded = encode(call, values)
        message_id = encoded.message_id or message_id
        item = encoded.item(message_id)
    except InvalidCall as error:
        problems += error.problems
    if problems:
        raise bodies.refused(problems)
    made = request.one(calling.chosen(here(), connection, "tracking"), call, item)
    if dry_run:
        calling.show(made, as_json=as_json)
        return 0
    named = " ".join(str(part) for part in (call, values.get("event") or values.get("name")) if part)
    return calling.tell(calling.exchange(made), plain(named), [message_id], as_json=as_json)
