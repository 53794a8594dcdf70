"""JSON as messages hold it: what the fast parser refuses is read by an exact, slower one.

JavaScript writes lone surrogates and numbers like 1e400; both are valid JSON and must not cost a message.
msgspec keeps integers of any size exact (orjson turns those over 64 bits into floats).
"""

import json
from typing import Any

import msgspec


class NotJson(ValueError):
    """A text that is no JSON, or a value that JSON cannot say; the message is a short reason."""


def loads(raw: bytes) -> Any:
    """Parse `raw`. Raises NotJson, also for what is too deep to be read."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _loads_exactly(raw)


def dumps(value: object) -> bytes:
    """Compact JSON. Raises NotJson."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:  # a lone surrogate: only an escape can carry it
        return json.dumps(msgspec.to_builtins(value), separators=(",", ":")).encode("ascii")
    except (TypeError, msgspec.MsgspecError, RecursionError) as error:
        raise NotJson(str(error)) from None


def _loads_exactly(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode("utf-8"), parse_constant=_refuse, parse_int=_integer)
    except RecursionError:
        raise NotJson("nested too deeply") from None
    except ValueError as error:
        raise NotJson(str(error)) from None


def _integer(digits: str) -> int | float:
    """Python refuses integers of more than 4,300 digits; as a float they are at least some number."""
    try:
        return int(digits)
    except ValueError:
        return float(digits)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
