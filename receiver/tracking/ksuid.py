"""Ids for messages that come without one, in the form Segment gives them: `api-` and a ksuid."""

import secrets

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_EPOCH_S = 1_400_000_000
_LENGTH = 27


def message_id(now_ms: int) -> str:
    """A new id; ids sort by the second they were made in."""
    number = (now_ms // 1000 - _EPOCH_S) << 128 | secrets.randbits(128)
    digits = []
    for _ in range(_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "api-" + "".join(reversed(digits))
