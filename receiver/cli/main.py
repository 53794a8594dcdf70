"""The `hookyard` command: its table of subcommands, and the one place that turns errors into exit codes.

A subcommand's module is imported only when it runs, so that `hookyard --help` costs nothing. To add one,
write `receiver/cli/<module>.py` with a click command that returns None or an exit code, and add a line to
COMMANDS.
Exit codes: 0 done, 1 failed, 2 wrong use or configuration, 130 stopped by Ctrl-C.
"""

import importlib
import sys
from collections.abc import Sequence
from typing import Any, cast

import click

from receiver.core.errors import ConfigError, HookError

COMMANDS: dict[str, tuple[str, str]] = {
    "dev": ("receiver.cli.dev:dev", "Run it all here: Valkey, receiver, workers; reload on change."),
    "receiver": ("receiver.cli.serve:receiver", "Run the HTTP side."),
    "workers": ("receiver.cli.run:workers", "Run the workers of all queues."),
    "check": ("receiver.cli.check:check", "Validate routes.yaml and every handler."),
    "send": ("receiver.cli.send:send", "Post messages as Segment would."),
    "messages": ("receiver.cli.messages:messages", "List stored messages."),
    "message": ("receiver.cli.message:message", "Show one message whole."),
    "tail": ("receiver.cli.tail:tail", "Follow messages as they come in."),
    "explain": ("receiver.cli.explain:explain", "Say of each route whether it takes a message, and why not."),
    "fql": ("receiver.cli.fql:fql", "Try a condition in FQL on messages of a file."),
    "refused": ("receiver.cli.refused:refused", "Show what was not taken lately, and why."),
    "dead": ("receiver.cli.dead:dead", "Show dead letters by reason; retry or drop them."),
    "replay": ("receiver.cli.replay:replay", "Deliver stored messages again."),
    "replays": ("receiver.cli.replays:replays", "List replays; pause, resume or cancel one."),
    "purge": ("receiver.cli.purge:purge", "Delete what is stored of a user."),
    "routes": (
        "receiver.cli.routes:routes",
        "Show how each route stands; pause one, move or drop what waits.",
    ),
    "segment": ("receiver.cli.segment:segment", "Make one call to Segment by hand."),
    "profile": ("receiver.cli.profile:profile", "Ask Segment's Profile API about a user or an account."),
    "connections": ("receiver.cli.connections:connections", "Try the credentials of the connections."),
    "schema": ("receiver.cli.schema:schema", "Print the JSON Schema of routes.yaml, for editors."),
    "doctor": ("receiver.cli.doctor:doctor", "Say what is wrong, and what to do about it."),
}
"""Name → where its click command is, and its line in the help."""


class LazyCommand(click.Command):
    """Stands in the group for a command whose module is not imported yet."""

    def __init__(self, name: str, target: str, short_help: str) -> None:
        super().__init__(name, short_help=short_help)
        self.target = target

    def load(self) -> click.Command:
        module, _, attribute = self.target.partition(":")
        return cast(click.Command, getattr(importlib.import_module(module), attribute))

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        return self.load().make_context(info_name, args, parent, **extra)


class OrderedGroup(click.Group):
    """Lists its commands in the order of the table: what a newcomer needs first stands first."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


cli = OrderedGroup(
    "hookyard",
    commands=[LazyCommand(name, target, line) for name, (target, line) in COMMANDS.items()],
    help="Receive Segment's webhooks, keep every message, route it, work it, retry it, replay it.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
cli = click.version_option(package_name="hookyard")(cli)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and answer its exit code; everything foreseeable is one sentence on stderr."""
    try:
        code = cli.main(list(arguments), prog_name="hookyard", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return 130
    except ConfigError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        return 2
    except HookError as error:
        click.echo(error.message, err=True)
        return 1
    except Exception as error:
        sentence = _about_redis(error)
        if sentence is None:
            raise
        click.echo(sentence, err=True)
        return 1
    return code if isinstance(code, int) else 0


def main() -> None:
    sys.exit(run(sys.argv[1:]))


def _about_redis(error: Exception) -> str | None:
    """A sentence for errors of the redis library; looked up, because most commands never import it."""
    errors = sys.modules.get("redis.exceptions")
    if errors is None or not isinstance(error, errors.RedisError):
        return None
    if isinstance(error, errors.ConnectionError | errors.TimeoutError):
        said = str(error).rstrip(".")
        return f"Redis does not answer: {said}. HOOKYARD_REDIS_URL says where it is; see `hookyard doctor`."
    return f"Redis refused: {error}. See `hookyard doctor`."
