"""What commands find things by: the store itself, a message by its id, names that must exist."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import cast

import click
from click.core import ParameterSource

from receiver.core import keys
from receiver.core.data_dir import resolve_redis_url
from receiver.core.errors import ConfigError, HookError, Problem
from receiver.core.findings import suggestion
from receiver.core.message import StoredMessage, message_name, message_number
from receiver.core.reading import Store
from receiver.core.settings import Settings


class NotFound(HookError):
    """What was asked for is not in the store."""

    code = "not_found"


@contextmanager
def open_store() -> Iterator[Store]:
    """The store this folder and environment name. Raises ConfigError when there is none."""
    settings = Settings.from_env(os.environ)
    url = resolve_redis_url(settings)
    try:
        store = Store.open(url, settings.rq_url.reveal() if settings.rq_url else None)
    except ValueError as error:
        raise ConfigError([Problem("environment", None, "HOOKYARD_REDIS_URL", str(error))]) from None
    try:
        yield store
    finally:
        store.close()


def messages_named(store: Store, name: str) -> list[StoredMessage]:
    """The message `msg_17` or `17`, else all with this messageId, oldest first. Raises NotFound."""
    number = message_number(name)
    found = list(store.messages([number])) if number is not None else []
    found = found or list(store.messages(store.find(name)))
    if not found:
        last = store.last_number()
        newest = f"the newest is {message_name(last)}" if last else "the store is empty"
        raise NotFound(f"There is no message {name}: not stored, or older than what is kept; {newest}.")
    return found


def message_named(store: Store, name: str) -> StoredMessage:
    """The one message of that name. Raises NotFound, and click.UsageError where it is not only one."""
    first, *others = messages_named(store, name)
    if others:
        ids = ", ".join(message.id for message in (first, *others))
        raise click.UsageError(f"messageId {name} is stored {len(others) + 1} times: name one of {ids}")
    return first


def known_routes(store: Store, names: Sequence[str]) -> None:
    """Raises click.UsageError unless every name is of a route that is, or was, configured."""
    if names:
        _known("route", names, store.route_numbers())


def known_sources(store: Store, names: Sequence[str]) -> None:
    """Raises click.UsageError unless every name is of a source that is, or was, configured."""
    pairs = cast("set[bytes]", store.redis.smembers(keys.key("PATHS")))
    _known("source", names, {pair.decode().partition("\0")[0] for pair in pairs})


def _known(what: str, names: Iterable[str], there: Iterable[str]) -> None:
    known = sorted(there)
    for name in names:
        if name not in known:
            raise click.UsageError(f"the store knows no {what} called {name}{suggestion(name, known)}")


def refuse_options(ctx: click.Context) -> None:
    """For a group that does something by itself: its options mean nothing to a subcommand.

    Raises click.UsageError.
    """
    if any(ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE for name in ctx.params):
        raise click.UsageError(f"the options stand before {ctx.invoked_subcommand}: write them behind it")
