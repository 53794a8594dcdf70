"""Bodies of http steps: a template, and how what it makes becomes bytes."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import msgspec

from receiver.core import exact_json
from receiver.core.steps.http import HttpSpec
from receiver.core.template_filters import text
from receiver.core.templates import Template, compile_value

JSON = "application/json"


class Body(msgspec.Struct, frozen=True):
    """A body that routes.yaml says."""

    key: str
    """What it is called there."""
    template: Template
    content_type: str
    encode: Callable[[Any], bytes]
    """Raises ValueError for what cannot be sent."""


def body_of(spec: HttpSpec) -> Body | None:
    """None: the message itself."""
    if spec.json is not None:
        return Body("json", compile_value(spec.json, kind="json", where="json"), JSON, exact_json.dumps)
    if spec.form is not None:
        template = compile_value(spec.form, kind="json", where="form")
        return Body("form", template, "application/x-www-form-urlencoded", _form)
    if spec.raw is not None:
        template = compile_value(spec.raw, kind="json", where="raw")
        return Body("raw", template, "text/plain; charset=utf-8", lambda value: text(value).encode())
    return None


def _form(fields: dict[str, Any]) -> bytes:
    """Null leaves a field out, a list repeats it."""
    pairs = [
        (name, text(one))
        for name, value in fields.items()
        for one in (value if isinstance(value, list) else [value])
        if one is not None
    ]
    return urlencode(pairs).encode()
