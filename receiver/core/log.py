"""Log lines: JSON when a program reads them, readable ones when a person does. `configure` once per process.

Fields go into `extra=`. Secrets are told by their type, not by their name: a `Secret` shows as stars wherever
it stands, also deep inside a field.
"""

import json
import logging
import sys
from contextvars import ContextVar
from typing import Any, TextIO

from receiver.core import clock
from receiver.core.settings import Secret

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Set while a request is worked on; stands in each of its lines."""

_STANDARD = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {
    "message",
    "asctime",
    "taskName",
}


def configure(level: str, *, stream: TextIO | None = None) -> None:
    """Send everything from `level` up to the stream (default: standard error), in one format."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Readable() if stream.isatty() else JsonLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, the fields, and a traceback if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": clock.iso(int(record.created * 1000)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **fields_of(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return _dumped(line)


class Readable(logging.Formatter):
    """`12:30:01 warning hookyard.intake: elements of a batch refused source="shop"`."""

    def format(self, record: logging.LogRecord) -> str:
        time = clock.iso(int(record.created * 1000))[11:19]
        parts = [f"{time} {record.levelname.lower():7} {record.name}: {record.getMessage()}"]
        parts += [f"{name}={_dumped(value)}" for name, value in fields_of(record).items()]
        line = " ".join(parts)
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """What came in `extra=`, and the id of the request."""
    found = {name: value for name, value in record.__dict__.items() if name not in _STANDARD}
    if request_id.get():
        found["request_id"] = request_id.get()
    return found


def _dumped(value: Any) -> str:
    """As JSON in ASCII: control characters and lone surrogates of hostile input cannot forge a line."""
    return json.dumps(value, default=_shown, skipkeys=True)


def _shown(value: Any) -> str:
    return "***" if isinstance(value, Secret) else str(value)
