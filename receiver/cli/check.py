"""`hookyard check`: proves that routes.yaml and everything it names is good, without Redis."""

from collections.abc import Mapping, Sized
from pathlib import Path

import click

from receiver.cli.console import console, print_json, table
from receiver.cli.handler_check import try_handlers
from receiver.cli.project import here
from receiver.cli.views import cut
from receiver.core.errors import ConfigError, Problem
from receiver.core.routes import Config, Route, Source
from receiver.core.routes_file import load

LONGEST_CONDITION = 40
"""Most letters of a condition in the summary."""


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Problems, sources and routes as one JSON object.")
def check(file: Path | None, as_json: bool) -> int:
    """Validate routes.yaml and every handler.

    All problems are shown at once, with file and line. Exits with 2 if there are any.
    """
    project = here()
    path = file or project.settings.routes
    config, found = _looked_at(path, project.environ)
    problems = [str(problem) for problem in found]
    if as_json:
        print_json(_as_json(config, problems))
    else:
        _print_warnings(config)
        for problem in problems:
            click.echo(problem, err=True)
        if config is not None and not problems:
            _print_summary(path, config)
    return 2 if problems else 0


def _looked_at(path: Path, environ: Mapping[str, str]) -> tuple[Config | None, list[Problem]]:
    """The file if it is good, and what is wrong with it and with its handlers, in the order of the file."""
    config: Config | None = None
    problems: list[Problem] = []
    try:
        config = load(path, environ)
    except ConfigError as error:
        problems = error.problems
    known = {(problem.line, problem.key) for problem in problems}
    tried = try_handlers(path, environ).problems
    problems = [*problems, *(problem for problem in tried if (problem.line, problem.key) not in known)]
    return config, sorted(problems, key=lambda problem: problem.line or 0)


def _print_warnings(config: Config | None) -> None:
    for warning in config.warnings if config else ():
        click.echo(f"warning: {warning}", err=True)


def _print_summary(path: Path, config: Config) -> None:
    sources: list[tuple[str, str, str, str]] = [
        (f"/hooks/{place}", found.source.name, _schemes(found.source), _feeds(found.feeds))
        for place, found in config.paths.items()
    ]
    sources += [("/v1", found.source.name, "write key", "all routes") for found in config.tracking.values()]
    out = console()
    out.print(table(("path", "source", "verify", "feeds"), sources))
    out.print()
    out.print(table(("route", "messages", "steps", "queue"), map(_route_row, config.routes.values())))
    out.print(
        f"\n{path} is good: {_count(sources, 'path')}, {_count(config.routes, 'route')}.", soft_wrap=True
    )


def _route_row(route: Route) -> tuple[str, str, str, str]:
    wanted = [
        ", ".join(sorted(values)) if values else ""
        for values in (route.sources, route.types, route.events, route.channels)
    ]
    if route.where is not None:
        wanted.append(cut(route.where.text, LONGEST_CONDITION))
    name = route.name if route.enabled else f"{route.name} (disabled)"
    return (
        name,
        "; ".join(filter(None, wanted)) or "all",
        " → ".join(s.name for s in route.steps),
        route.queue,
    )


def _schemes(source: Source) -> str:
    return " and ".join(verify.scheme for verify in source.verify)


def _feeds(feeds: frozenset[str] | None) -> str:
    return "all routes" if feeds is None else ", ".join(sorted(feeds))


def _count(things: Sized, word: str) -> str:
    number = len(things)
    return f"{number} {word}{'' if number == 1 else 's'}"


def _as_json(config: Config | None, problems: list[str]) -> dict[str, object]:
    return {
        "ok": not problems,
        "problems": problems,
        "warnings": [str(warning) for warning in config.warnings] if config else [],
        "paths": {path: found.source.name for path, found in config.paths.items()} if config else {},
        "routes": list(config.routes) if config else [],
        "version": config.version if config else "",
    }
