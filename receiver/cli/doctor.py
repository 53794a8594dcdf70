"""`hookyard doctor`: looks at everything it can reach and says what is wrong and what to do."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields, replace

import click
from redis.exceptions import RedisError
from rich.padding import Padding
from rich.text import Text

from receiver.cli.checks import CHECKS
from receiver.cli.console import console, plain, print_json, table
from receiver.cli.dev_secrets import with_kept
from receiver.cli.findings import Case, Finding
from receiver.core.aof import repair_aof
from receiver.core.clients import connect
from receiver.core.data_dir import attach, resolve_redis_url
from receiver.core.errors import ConfigError, Unavailable
from receiver.core.routes_file import load
from receiver.core.settings import PREFIX, Secret, Settings, described

SIGNS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "error": ("✗", "red")}


@click.command()
@click.option("--fix", is_flag=True, help="Repair what is safe to repair: the end of a cut append-only file.")
@click.option("--json", "as_json", is_flag=True, help="Findings and settings as one JSON object.")
def doctor(fix: bool, as_json: bool) -> int:
    """Say what is wrong, and what to do about it.

    Looks at settings, routes.yaml, disk, and at Redis: version, persistence, memory, clock. Exits with 1 if
    there is an error.
    """
    findings = list(examine(os.environ, fix=fix))
    settings = settings_rows(os.environ)
    if as_json:
        print_json({"findings": [asdict(item) for item in findings], "settings": settings})
    else:
        _print(findings, settings)
    return 1 if any(item.level == "error" for item in findings) else 0


def examine(environ: Mapping[str, str], *, fix: bool = False) -> Iterator[Finding]:
    """All findings, one after the other. Never raises for what is wrong outside."""
    try:
        settings = Settings.from_env(environ)
    except ConfigError as error:
        yield from _problems(error)
        return
    if fix:
        yield from _repair(settings)
    case = Case(settings=settings, environ=environ)
    try:
        config = load(settings.routes, with_kept(environ, settings.data_dir))
        case = replace(case, config=config)
    except ConfigError as error:
        yield from _problems(error)
    if settings.redis_url is None and attach(settings.data_dir) is None:
        fix_it = "Start `hookyard dev`, or set HOOKYARD_REDIS_URL."
        yield Finding(
            level="warning",
            title="no Redis to look at",
            detail=f"none runs here on {settings.data_dir}",
            fix=fix_it,
        )
        yield from _run_checks(case)
        return
    try:
        with connect(resolve_redis_url(settings)) as redis:
            redis.ping()
            yield from _run_checks(replace(case, redis=redis))
    except ConfigError as error:
        yield from _problems(error)
        yield from _run_checks(case)
    except (RedisError, ValueError) as error:
        fix_it = "Is it running, and is HOOKYARD_REDIS_URL right?"
        yield Finding(level="error", title="Redis does not answer", detail=str(error), fix=fix_it)
        yield from _run_checks(case)


def _run_checks(case: Case) -> Iterator[Finding]:
    for check in CHECKS:
        try:
            yield from check(case)
        except (RedisError, Unavailable) as error:
            yield Finding(
                level="error", title=check.__name__.replace("_", " "), detail=f"Redis refused: {error}"
            )


def _repair(settings: Settings) -> Iterator[Finding]:
    """Raises AlreadyRunning: nothing is repaired under a running server."""
    title = "append-only file"
    if settings.redis_url is not None:
        detail = "--fix repairs the embedded Valkey only, and HOOKYARD_REDIS_URL names another Redis."
        yield Finding(level="warning", title=title, detail=detail)
        return
    repaired = repair_aof(settings.data_dir)
    if repaired is None:
        yield Finding(level="ok", title=title, detail="is whole, nothing to repair")
        return
    damage, copy = repaired
    yield Finding(
        level="ok",
        title=f"{title} repaired",
        detail=f"cut {damage.cut} bytes off {damage.file}; the file as it was: {copy}",
    )


def _problems(error: ConfigError) -> Iterator[Finding]:
    for problem in error.problems:
        yield Finding(level="error", title="configuration", detail=str(problem))


def settings_rows(environ: Mapping[str, str]) -> list[dict[str, str]]:
    """Every setting with its value, where that comes from, and what it is for; secrets as stars."""
    secret = {item.name for item in fields(Settings) if item.metadata["parse"] is Secret}
    rows = []
    for name, default, meaning in described():
        value = environ.get(name, "")
        shown = "***" if value and name.removeprefix(PREFIX).lower() in secret else value or default
        rows.append(
            {"name": name, "value": shown, "from": "environment" if value else "default", "for": meaning}
        )
    return rows


def _print(findings: list[Finding], settings: list[dict[str, str]]) -> None:
    out = console()
    out.print(table(("setting", "value", "from", "meaning"), (tuple(row.values()) for row in settings)))
    out.print()
    for item in findings:
        sign, colour = SIGNS[item.level]
        out.print(Text(sign, style=colour), plain(item.title), soft_wrap=True)
        for line in filter(None, (item.detail, item.fix and f"→ {item.fix}")):
            out.print(Padding(plain(line), (0, 0, 0, 4)))
