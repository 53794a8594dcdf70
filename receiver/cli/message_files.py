"""Reads messages from files for `hookyard send`: a JSON value a line, or one over many lines, or several."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import click

from receiver.cli.outgoing import compact

_DECODER = json.JSONDecoder()
_SPACE = " \t\r\n"


def bodies(opened: IO[bytes], name: str) -> Iterator[tuple[bytes, int]]:
    """Each object or array of the file as compact bytes, and how many bytes of the file it took.

    A file of one value a line is read line by line, however long it is. Raises click.ClickException with the
    file's name and line for anything that is not a JSON object or array.
    """
    first = b""
    lines = 0
    while not first.strip():
        first = opened.readline()
        lines += 1
        if not first:
            return
    if _is_value(first):
        yield compact(first), len(first)
        yield from _lines(opened, name, lines)
    else:
        yield from _values(first + opened.read(), name, lines)


def _lines(opened: IO[bytes], name: str, read: int) -> Iterator[tuple[bytes, int]]:
    for number, line in enumerate(opened, read + 1):
        if line.strip():
            if not _is_value(line):
                raise click.ClickException(f"{name}:{number}: not a JSON object or array on one line")
            yield compact(line), len(line)


def _values(data: bytes, name: str, first_line: int) -> Iterator[tuple[bytes, int]]:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{name}: not UTF-8: {error.reason} at byte {error.start}") from error
    at = 0
    while at < len(text):
        begin = at
        if text[at] not in "{[":
            raise click.ClickException(f"{name}:{first_line + text.count(chr(10), 0, at)}: not a JSON object")
        try:
            _, at = _DECODER.raw_decode(text, at)
        except json.JSONDecodeError as error:
            line = first_line + error.lineno - 1
            raise click.ClickException(f"{name}:{line}:{error.colno}: {error.msg}") from error
        except RecursionError as error:
            raise click.ClickException(f"{name}: nests too deep") from error
        yield compact(text[begin:at].encode()), at - begin
        while at < len(text) and text[at] in _SPACE:
            at += 1


def _is_value(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict | list)
    except (ValueError, RecursionError):
        return False


def size(name: str) -> int:
    """Bytes of the file, for a progress bar; 0 for standard input."""
    return 0 if name == "-" else Path(name).stat().st_size
