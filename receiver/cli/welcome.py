"""What `hookyard dev` says once it is up: where Segment posts to, a signed line to paste, how to stop."""

import shlex
from collections.abc import Mapping

from receiver.cli.doctor import examine
from receiver.cli.outgoing import request
from receiver.cli.reload import InForce
from receiver.cli.screen import Screen
from receiver.core.data_dir import DataDir
from receiver.core.routes import Config, SourcePath
from receiver.core.settings import Settings

SAMPLE = (
    b'{"type":"track","event":"Order Completed","userId":"usr_1001","channel":"server",'
    b'"properties":{"order_id":"ord_1","revenue":129.5,"currency":"EUR"},"context":{},"integrations":{}}'
)
"""Without a messageId, so that pasting the line again is a new message and not a repeat."""


def greet(screen: Screen, config: Config, settings: Settings, base: str) -> None:
    """For a receiver that is ready."""
    screen.tell()
    screen.tell(f"Hookyard is up: {base}", "bold green")
    screen.tell()
    screen.tell("Segment posts to")
    for path, found in config.paths.items():
        screen.tell(f"  {base}/hooks/{path}   (source {found.source.name}, {_verified(found)})")
    for found in config.tracking.values():
        key = found.source.write_keys[0].reveal()
        screen.tell(f"  {base}/v1   (source {found.source.name}, for Segment's libraries: write key {key})")
    chosen = first_path(config)
    if chosen is not None:
        screen.tell()
        screen.tell("Try it from another terminal:")
        screen.tell(f"  {curl_line(base, chosen)}", "cyan")
    screen.tell()
    screen.tell(
        "Look at what came: hookyard messages, hookyard tail. Edit routes.yaml: it takes effect at once."
    )
    kept = "" if settings.redis_url else f" Messages stay in {settings.data_dir}/ for the next start."
    screen.tell(f"Ctrl-C stops everything.{kept}")
    screen.tell()


def explain(screen: Screen, base: str, environ: Mapping[str, str]) -> None:
    """For a receiver that is not ready: what `hookyard doctor` finds wrong."""
    screen.tell(f"Hookyard started at {base}, but is not ready:", "red")
    for finding in examine(environ):
        if finding.level == "error":
            screen.tell(f"  {finding.title}: {finding.detail} {finding.fix}".rstrip())
    screen.tell("It goes on trying; Ctrl-C stops everything.")


def tell_secrets(screen: Screen, force: InForce, settings: Settings) -> None:
    for name in force.new_secrets:
        file = DataDir(settings.data_dir).secrets
        screen.tell(f"{name} is not set: made a random one and kept it in {file}")


def curl_line(base: str, chosen: SourcePath) -> str:
    """A command to paste that posts a sample as Segment would, signed if the source asks for it."""
    made = request(SAMPLE, chosen.source.verify)
    parts = ["curl", "-i", f"{base}/hooks/{chosen.path}"]
    for name, value in made.headers.items():
        if name != "User-Agent":
            parts += ["-H", f"{name}: {value}"]
    return shlex.join([*parts, "--data-binary", made.body.decode()])


def first_path(config: Config) -> SourcePath | None:
    """The path that samples are sent to: the first of a source that is enabled."""
    return next((found for found in config.paths.values() if found.source.enabled), None)


def _verified(found: SourcePath) -> str:
    schemes = [verify.scheme for verify in found.source.verify]
    return "not verified" if schemes == ["none"] else f"verified by {' and '.join(schemes)}"
