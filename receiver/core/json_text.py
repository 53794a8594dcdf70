"""JSON text cut into slices: items and members as the exact bytes that arrived, nothing built or converted.

Two readers give the same answer. msgspec checks and cuts about a gigabyte a second, but refuses what
JavaScript writes all the same (lone surrogates, `"\\ud83d"`) and stops at Python's recursion limit. The
standard library's scanner then walks the same text. Neither converts a number, so `1e400` stays what it is.
This module must not know what a Segment message is.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NoReturn

import msgspec

from receiver.core.errors import MalformedMessage

MAX_DEPTH = 500
"""Levels of nesting that every reader of a stored message can take, with room for its caller's own frames."""

Fields = Mapping[str, msgspec.Raw]
"""The members of an object by name, each as its exact slice."""

_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_VALUE = msgspec.json.Decoder()
_SPACE = re.compile(r"[ \t\n\r]*")
_BRACKETS = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[{]+|[\]}]+', re.DOTALL)
"""Strings (which may hold brackets), and runs of brackets."""


def items(text: bytes, most: int | None = None) -> list[bytes]:
    """The items of an array, each its exact slice. Raises MalformedMessage when the text is not an array.

    When there are more than `most`, so many and one more come back, and the rest may be unread. An item
    deeper than MAX_DEPTH may be cut out unread: ask `too_deep` before reading it.
    """
    stop = None if most is None else most + 1
    try:
        return [bytes(item) for item in _ITEMS.decode(text)[:stop]]
    except (msgspec.MsgspecError, RecursionError):
        return [item for _, item in _checked(islice(_walk(text), stop))]


def members(text: bytes) -> dict[str, msgspec.Raw]:
    """The members of an object; of a name that is there twice the last, as in JavaScript.

    Raises MalformedMessage when the text is not an object. The note at `items` on depth applies. The text
    must be valid UTF-8: see `require_utf8`.
    """
    try:
        return _MEMBERS.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {name: msgspec.Raw(value) for name, value in _checked(_walk(text))}


def first_item(text: bytes) -> bytes | None:
    """Item 0 of an array, without reading the others; None if there is none to be read."""
    try:
        return next(item for _, item in _walk(text)) if is_array(text) else None
    except (StopIteration, ValueError):
        return None


def value(text: bytes) -> Any:
    """What a slice holds, for the few fields that are looked at. Numbers no float can hold come as text.

    Raises ValueError when it is not JSON.
    """
    try:
        return _VALUE.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        found = _READER.decode(bytes(text).decode())
        # A lone surrogate cannot be written anywhere as UTF-8; its escape can.
        return found.encode("utf-8", "backslashreplace").decode() if isinstance(found, str) else found


def values(fields: Fields, names: Iterable[str]) -> dict[str, Any]:
    """What the named members hold, of those that are there: `value` for many at once."""
    found: dict[str, Any] = {}
    for name in names:
        text = fields.get(name)
        if text is not None:
            try:
                found[name] = _VALUE.decode(text)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                found[name] = value(bytes(text))
    return found


def require_utf8(text: bytes) -> None:
    """Raises MalformedMessage. msgspec does not look into strings that it only skips."""
    if not text.isascii():
        try:
            text.decode()
        except UnicodeDecodeError as error:
            raise MalformedMessage(f"The body is not UTF-8: {error.reason} at byte {error.start}.") from error


def opening(text: bytes) -> bytes:
    """What the text begins with: an object with `{`, an array with `[`."""
    return text.lstrip(b" \t\n\r")[:1]


def is_array(text: bytes) -> bool:
    return opening(text) == b"["


def is_object(text: bytes) -> bool:
    return opening(text) == b"{"


def too_deep(text: bytes) -> bool:
    """Whether the text nests deeper than MAX_DEPTH."""
    # A level takes two bytes as an array and five as an object: so much text holds no more of them.
    if len(text) <= 2 * MAX_DEPTH:
        return False
    arrays = text.count(b"[") if b"[" in text else 0
    if len(text) <= 4 * MAX_DEPTH and arrays <= MAX_DEPTH // 5:
        return False
    if arrays + text.count(b"{") <= MAX_DEPTH:
        return False
    depth = 0
    for token in _BRACKETS.finditer(text.decode()):
        if token[0][0] in "[{":
            depth += len(token[0])
            if depth > MAX_DEPTH:
                return True
        elif token[0][0] in "]}":
            depth -= len(token[0])
    return False


def _checked(entries: Iterable[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    try:
        return list(entries)
    except ValueError as error:
        raise MalformedMessage(f"The body is not valid JSON: {error}.") from error


def _walk(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Name (empty in an array) and slice of each entry. Raises ValueError."""
    text = data.decode()
    at = _space(text, 0)
    close = {"[": "]", "{": "}"}.get(text[at : at + 1])
    if close is None:
        _READER.raw_decode(text, at)
        raise json.JSONDecodeError("Expecting an array or object", text, at)
    at = _space(text, at + 1)
    more = text[at : at + 1] != close
    while more:
        name, at = _name(text, at) if close == "}" else ("", at)
        end = _end(text, at)
        yield name, text[at:end].encode()
        at = _space(text, end)
        more = text[at : at + 1] == ","
        if more:
            at = _space(text, at + 1)
        elif text[at : at + 1] != close:
            raise json.JSONDecodeError(f"Expecting ',' or '{close}'", text, at)
    if _space(text, at + 1) != len(text):
        raise json.JSONDecodeError("Extra data", text, at + 1)


def _space(text: str, at: int) -> int:
    """The place of the first character that is not white space."""
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _name(text: str, at: int) -> tuple[str, int]:
    """The member name at `at`, and where its value begins."""
    if text[at : at + 1] != '"':
        raise json.JSONDecodeError("Expecting a name in double quotes", text, at)
    name, end = _READER.raw_decode(text, at)
    at = _space(text, end)
    if text[at : at + 1] != ":":
        raise json.JSONDecodeError("Expecting ':'", text, at)
    return name, _space(text, at + 1)


def _end(text: str, at: int) -> int:
    """Where the value that begins at `at` ends."""
    try:
        return _READER.raw_decode(text, at)[1]
    except RecursionError:
        return _bracketed_end(text, at)


def _bracketed_end(text: str, at: int) -> int:
    """Where a value too deep to be read ends, so that it costs its neighbours nothing."""
    depth = 0
    for token in _BRACKETS.finditer(text, at):
        run = token[0]
        if run[0] in "[{":
            depth += len(run)
        elif run[0] in "]}":
            if depth <= len(run):
                return token.start() + depth
            depth -= len(run)
    raise json.JSONDecodeError("Unterminated array or object", text, at)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


_READER = json.JSONDecoder(parse_constant=_no_constant, parse_int=str, parse_float=str)
