"""JSON as messages hold it: what the fast parser refuses is read by an exact, slower one.

JavaScript writes lone surrogates and numbers like 1e400; both are valid JSON and must not cost a message.
msgspec keeps integers of any size exact (orjson turns those over 64 bits into floats).
"""

import json
from decimal import Decimal
from typing import Any

import msgspec

_ENCODER = msgspec.json.Encoder(decimal_format="number")


class NotJson(ValueError):
    """A text that is no JSON, or a value that JSON cannot say; the message is a short reason."""


def loads(raw: bytes | msgspec.Raw) -> Any:
    """Parse `raw`. Raises NotJson, also for what is too deep to be read."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _loads_exactly(bytes(raw))


def dumps(value: object) -> bytes:
    """Compact JSON. A Decimal is a number. Raises NotJson."""
    try:
        return _dumps(value)
    except (TypeError, ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise NotJson(str(error)) from None


def _dumps(value: object) -> bytes:
    try:
        made = _ENCODER.encode(value)
        if b"NaN" in made or b"Infinity" in made:  # in a text, or a Decimal's: those of floats become null
            msgspec.json.decode(made)
        return made
    except UnicodeEncodeError:  # a lone surrogate: only an escape can carry it
        plain = msgspec.to_builtins(value, builtin_types=(Decimal,), str_keys=True)
        return json.dumps(plain, separators=(",", ":"), default=float, allow_nan=False).encode("ascii")


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
