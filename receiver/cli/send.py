"""`hookyard send`: posts messages from files as Segment would."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import click

from receiver.cli import message_files, outgoing
from receiver.cli.console import console, print_json, progress, table
from receiver.cli.project import Project, here
from receiver.core import json_text
from receiver.core.errors import ConfigError, Problem
from receiver.core.routes import Source
from receiver.core.routes_file import load

LISTED = 20
"""Up to so many requests each get a line; more are counted by answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One request and its answer."""

    title: str
    answer: outgoing.Answer


@click.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, allow_dash=True)
)
@click.option(
    "--source", metavar="NAME", help="Source of routes.yaml to post to; needed if there are several."
)
@click.option(
    "--sign/--no-sign",
    default=True,
    show_default=True,
    help="Send what the source verifies, by its first secret.",
)
@click.option("--url", metavar="URL", help="Post here instead of to this machine's receiver.")
@click.option("--batch", metavar="N", type=click.IntRange(1, 4000), help="Post arrays of N messages.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line a request.")
def send(
    files: tuple[str, ...], source: str | None, sign: bool, url: str | None, batch: int | None, as_json: bool
) -> int:
    """Post messages as Segment would.

    FILES hold JSON or JSON Lines; `-` is standard input. An object is one message, an array is posted as the
    batch it is. Exits with 1 unless every request was accepted.
    """
    project = here()
    chosen = None if url and not (sign or source) else _source(project, source)
    verify = chosen.verify if sign and chosen else ()
    address = url or _address(project, chosen)
    with outgoing.Sender(address) as sender, progress() as bar:
        task = bar.add_task("Sending", total=sum(map(message_files.size, files)) or None)
        done = []
        for body, length in _requests(files, batch):
            answer = sender.post(outgoing.request(body, verify))
            done.append(Sent(title=_title(body), answer=answer))
            bar.advance(task, length)
            if as_json:
                _print_line(done[-1])
    if not as_json:
        _print_table(done, address)
    return 0 if all(sent.answer.accepted for sent in done) else 1


def _source(project: Project, name: str | None) -> Source:
    """The source to send to, one that takes webhooks. Raises ConfigError when it cannot be told."""
    path = project.settings.routes
    every = load(path, project.environ).sources
    sources = {name: source for name, source in every.items() if source.paths}
    if name is None and len(sources) == 1:
        return next(iter(sources.values()))
    if name is None or name not in sources:
        wanted = "choose one with --source" if name is None else f"no source {name!r} takes webhooks"
        known = ", ".join(sources) or "none"
        raise ConfigError([Problem(str(path), None, "sources", f"{wanted}; sources: {known}")])
    return sources[name]


def _address(project: Project, source: Source | None) -> str:
    settings = project.settings
    path = next(iter(source.paths), source.name) if source else ""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}/hooks/{path}"


def _requests(files: tuple[str, ...], batch: int | None) -> Iterator[tuple[bytes, int]]:
    """Body of each request, and how many bytes of the files it took."""
    for name in files:
        with click.open_file(name, "rb") as opened:
            found = message_files.bodies(opened, name)
            yield from found if batch is None else _grouped(found, batch)


def _grouped(found: Iterator[tuple[bytes, int]], size: int) -> Iterator[tuple[bytes, int]]:
    singles = (
        (item, length if index == 0 else 0)
        for body, length in found
        for index, item in enumerate(json_text.items(body) if json_text.is_array(body) else [body])
    )
    while group := list(islice(singles, size)):
        yield outgoing.batch([body for body, _ in group]), sum(length for _, length in group)


def _title(body: bytes) -> str:
    """What a request is called in the table: type and event, or how many messages it holds."""
    value = json.loads(body)
    if isinstance(value, list):
        return f"batch of {len(value)}"
    words = [str(value[name]) for name in ("type", "event", "name") if isinstance(value.get(name), str)]
    return " ".join(words[:2]) or "object without a type"


def _print_line(sent: Sent) -> None:
    answer = sent.answer
    print_json(
        {
            "sent": sent.title,
            "status": answer.status,
            "code": answer.code,
            "message": answer.message,
            "ms": round(answer.milliseconds, 1),
        }
    )


def _print_table(done: list[Sent], address: str) -> None:
    if len(done) <= LISTED:
        columns = ("message", "answer", "ms")
        rows: list[tuple[object, ...]] = [
            (sent.title, _words(sent.answer), f"{sent.answer.milliseconds:.1f}") for sent in done
        ]
    else:
        columns = ("requests", "answer", "slowest ms")
        slowest: dict[str, float] = {}
        for sent in done:
            words = _words(sent.answer)
            slowest[words] = max(slowest.get(words, 0.0), sent.answer.milliseconds)
        counts = Counter(_words(sent.answer) for sent in done)
        rows = [(count, words, f"{slowest[words]:.1f}") for words, count in counts.most_common()]
    out = console()
    out.print(f"Posted {len(done)} request{'' if len(done) == 1 else 's'} to {address}", soft_wrap=True)
    if done:
        out.print(table(columns, rows, right=("ms", "requests", "slowest ms")))


def _words(answer: outgoing.Answer) -> str:
    return " ".join(part for part in (str(answer.status), answer.code, answer.message) if part)
