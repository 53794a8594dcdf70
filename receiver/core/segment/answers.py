"""What Segment says of itself when it refuses: each of its APIs puts code and sentence at another place."""

from typing import Any

from receiver.core import exact_json

LONGEST = 300
"""Characters of each that are kept."""


def error_of(body: bytes) -> tuple[str, str]:
    """Code and sentence of an error; empty where there is none.

    The tracking API answers `{"code", "message"}`, the Profile API has that in `error`, and the Public API
    `{"type", "message"}` in the first of `errors`.
    """
    try:
        answer = exact_json.loads(body)
    except exact_json.NotJson:
        return "", ""
    if not isinstance(answer, dict):
        return "", ""
    errors = answer.get("errors")
    for at in (answer.get("error"), errors[0] if isinstance(errors, list) and errors else None, answer):
        if isinstance(at, dict):
            code, message = _text(at.get("code") or at.get("type")), _text(at.get("message"))
            if code or message:
                return code, message
    return "", ""


def _text(value: Any) -> str:
    return value[:LONGEST] if isinstance(value, str) else ""
