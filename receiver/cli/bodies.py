"""What people write as JSON on the command line, in a file or on standard input; all problems at once."""

from collections.abc import Iterable, Mapping
from typing import Any

import click

from receiver.cli import message_files
from receiver.core import exact_json

file_option = click.option(
    "--file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    help="Read the body from there; - is standard input.",
)


def content(file: str) -> bytes:
    """All of a file, or of standard input."""
    with click.open_file(file, "rb") as opened:
        return bytes(opened.read())


def objects(given: Mapping[str, str], problems: list[str]) -> dict[str, Any]:
    """Options whose values are JSON, parsed. What is none is noted under the name of its option."""
    found = {}
    for name, text in given.items():
        try:
            found[name] = exact_json.loads(text.encode("utf-8", "surrogateescape"))
        except exact_json.NotJson as error:
            problems.append(f"{option(name)}: is not JSON: {error}")
    return found


def message(file: str | None) -> dict[str, Any]:
    """The one object of a file, if there is a file. Raises click.UsageError."""
    if file is None:
        return {}
    try:
        found = exact_json.loads(content(file))
    except exact_json.NotJson as error:
        raise click.UsageError(f"--file: {file} is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise click.UsageError(f"--file: {file} holds no JSON object")
    return found


def messages(file: str) -> list[Any]:
    """Every message of a file: of its lines, or of its arrays. Raises click.UsageError."""
    try:
        with click.open_file(file, "rb") as opened:
            values = [exact_json.loads(body) for body, _ in message_files.bodies(opened, file)]
    except click.ClickException as error:
        raise click.UsageError(f"--file: {error.message}") from None
    return [one for value in values for one in (value if isinstance(value, list) else [value])]


def option(name: str) -> str:
    """`firstName` → `--first-name`."""
    return "--" + "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)


def refused(problems: Iterable[str]) -> click.UsageError:
    """The error that shows all problems, a line each."""
    return click.UsageError("\n".join(problems))
