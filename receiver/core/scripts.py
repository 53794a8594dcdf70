"""Loads the Lua scripts and runs them, from async and from plain code, with one translation of Redis' errors.

A `Call` is a value: which script, its packed arguments, how to read the answer. `run` and `run_now` send it.
A script the server does not know (restarted empty, failed over) is sent whole again, so nothing has to be
loaded at start-up.
"""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import msgspec
import redis
import redis.asyncio
from redis import exceptions

from receiver.core import keys
from receiver.core.errors import StoreFull, StoreUnavailable, Unavailable
from receiver.core.wire import Wire

T = TypeVar("T")

LUA = Path(__file__).parent / "lua"
REFUSED_WHEN_FULL = {"accept", "replay", "refusals"}
"""Scripts that add data. All others must work on a full Redis: they are the ones that empty it."""
SHARED = ("common", "order", "endings", "pace")
"""Functions that stand before every script."""
PARTS = {"turn": ("breaker", "settle", "claim")}
"""What a script is made of beside them."""


class Script(msgspec.Struct, frozen=True):
    """A script as the server runs it."""

    text: str
    sha: str


class Call(msgspec.Struct, Generic[T], frozen=True):
    """One script call, ready to send."""

    script: Script
    arguments: tuple[bytes | str, ...]
    """One packed table, then what is no text: the packer of the scripts knows no binary type."""
    decode: Callable[[Any], T]


@cache
def load(name: str) -> Script:
    """The script `lua/<name>.lua` with the key names and the shared functions before it."""
    flags = "" if name in REFUSED_WHEN_FULL else " flags=allow-oom"
    parts = [f"#!lua{flags}", keys.lua_prelude()]
    parts += [(LUA / f"{part}.lua").read_text() for part in (*SHARED, *PARTS.get(name, ()), name)]
    text = "\n".join(parts)
    return Script(text=text, sha=hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


def call(name: str, table: dict[str, Any], decode: Callable[[Any], T], *more: bytes | str) -> Call[T]:
    """A call of `lua/<name>.lua` with `table` packed as its first argument, and `more` after it."""
    return Call(script=load(name), arguments=(msgspec.msgpack.encode(table), *more), decode=decode)


def unpacked(reply: Any) -> dict[str, Any]:
    """The answer of a script that packs all it says into one table. For lists see `rows`."""
    return cast(dict[str, Any], msgspec.msgpack.decode(reply))


def rows(value: Any) -> list[Any]:
    """A list from Lua, which may have packed an empty one as an empty map."""
    return list(value) if value else []


async def run(client: "redis.asyncio.Redis | Wire", made: Call[T]) -> T:
    """Send a call. Raises StoreUnavailable or StoreFull."""
    try:
        try:
            reply = await cast(Any, client.evalsha(made.script.sha, 1, keys.key("META"), *made.arguments))
        except exceptions.NoScriptError:
            reply = await cast(Any, client.eval(made.script.text, 1, keys.key("META"), *made.arguments))
    except (exceptions.RedisError, OSError, TimeoutError) as error:
        raise translate(error) from error
    return made.decode(reply)


def run_now(client: "redis.Redis", made: Call[T]) -> T:
    """`run` for code without an event loop."""
    try:
        try:
            reply = client.evalsha(made.script.sha, 1, keys.key("META"), *made.arguments)
        except exceptions.NoScriptError:
            reply = client.eval(made.script.text, 1, keys.key("META"), *made.arguments)
    except (exceptions.RedisError, OSError, TimeoutError) as error:
        raise translate(error) from error
    return made.decode(reply)


def translate(error: Exception) -> Unavailable:
    """What a failed call means for whoever sent the message: try again."""
    text = str(error)
    if isinstance(error, exceptions.OutOfMemoryError) or text.startswith("OOM") or "-OOM" in text:
        return StoreFull("Redis is at its memory limit; drains go on and make room", retry_after=5)
    if isinstance(error, exceptions.ReadOnlyError) or "READONLY" in text:
        return StoreUnavailable("Redis is read-only (a replica after a fail-over?)", retry_after=5)
    if "MISCONF" in text:
        return StoreUnavailable("Redis cannot write to its disk (MISCONF); free space there", retry_after=5)
    if isinstance(error, exceptions.BusyLoadingError):
        return StoreUnavailable("Redis is loading its data", retry_after=2)
    if isinstance(error, exceptions.TimeoutError | TimeoutError):
        return StoreUnavailable("Redis did not answer in time")
    if isinstance(error, exceptions.ConnectionError | OSError):
        return StoreUnavailable("Redis cannot be reached")
    return StoreUnavailable(f"Redis answered an error: {text[:200]}")
