"""Handlers for tests with real processes: each writes a line when it begins and when it is done, and does in
between what the message's properties ask for. `tests.support.audit.Notes` reads the lines."""

import asyncio
import os
import signal
from hashlib import sha256

from receiver.core.clock import SYSTEM, pause
from workers.api import Context, InvalidEventPayload, Message, RetryError

FILE = "NOTES_FILE"
"""Environment variable with the path of the file. A line is one write to its end: processes may share it."""


async def note(message: Message, context: Context) -> None:
    """As the message says: `wait` that many seconds, fail the first `fail` attempts, be `invalid`."""
    _write("began", message, context)
    await asyncio.sleep(float(message.get("properties.wait", 0)))
    _fail(message, context)
    _write("done", message, context)


def note_in_thread(message: Message, context: Context) -> None:
    """The same, as a plain function."""
    _write("began", message, context)
    pause(float(message.get("properties.wait", 0)))
    _fail(message, context)
    _write("done", message, context)


async def exact(message: Message, context: Context) -> None:
    """Notes which bytes arrived, in place of a messageId."""
    _write("done", sha256(message.raw).hexdigest(), context)


async def block(message: Message, context: Context) -> None:
    """Holds the event loop for `block` seconds, as careless async code does."""
    _write("began", message, context)
    pause(float(message.get("properties.block", 0)))
    _write("done", message, context)


async def poison(message: Message, context: Context) -> None:
    """Ends its own process if the message says so: `poison` is `kill`, or `exit`, which looks fine."""
    _write("began", message, context)
    match message.get("properties.poison"):
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "exit":
            os._exit(0)
    await asyncio.sleep(float(message.get("properties.wait", 0)))
    _write("done", message, context)


def _fail(message: Message, context: Context) -> None:
    if message.get("properties.invalid"):
        raise InvalidEventPayload("invalid on purpose")
    if context.attempt <= int(message.get("properties.fail", 0)):
        raise RetryError("not yet, on purpose")


def _write(what: str, about: Message | str, context: Context) -> None:
    name = about if isinstance(about, str) else about.message_id
    fields = (
        what,
        context.route,
        name,
        context.attempt,
        context.replay,
        os.getpid(),
        SYSTEM.now_ms(),
    )
    line = "\t".join(str(field) for field in fields) + "\n"
    file = os.open(os.environ[FILE], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)
