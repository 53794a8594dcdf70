"""Form bodies as messages: the Extensible Webhook sends them where a mapping sets that content type.

A form has no types and no depth, and the destination writes nested objects as `[object Object]`: what comes
out is an object of texts. Its JSON is ours, as there is none to be kept byte for byte.
"""

import json
from urllib.parse import parse_qsl

from receiver.core import json_text
from receiver.core.errors import MalformedMessage
from receiver.core.facts import Fields
from receiver.schemes.base import Unverified, Verified

CONTENT_TYPE = b"application/x-www-form-urlencoded"
MOST_FIELDS = 1000


def is_form(request: Unverified) -> bool:
    """Whether the body is a form, and not only said to be one: `curl -d` says so of JSON too."""
    body = request.body
    if body.lstrip().startswith((b"{", b"[")) or b"=" not in body:
        return False
    kinds = [value.partition(b";")[0].strip().lower() for value in request.header(b"content-type")]
    return kinds == [CONTENT_TYPE]


def plain(request: Unverified, verified: Verified) -> Verified:
    """The verified body as JSON: unchanged unless it is a form. Raises MalformedMessage."""
    return Verified(body=to_json(verified.body), coverage=verified.coverage) if is_form(request) else verified


def to_json(form: bytes) -> bytes:
    """The fields as a JSON object of texts, in their order; of a name that is there twice the last.

    Names with brackets stay as they are. Raises MalformedMessage (malformed_form).
    """
    try:
        return _to_json(form.decode())
    except ValueError as error:
        raise MalformedMessage(f"The body is not a form: {error}.", code="malformed_form") from error


def form_in(fields: Fields) -> bytes | None:
    """The JSON of a batch item that is nothing but `{"body": "a=1&b=2"}`; None for all else."""
    inner = fields.get("body") if len(fields) == 1 else None
    if inner is None:
        return None
    form = json_text.value(inner)
    if not isinstance(form, str) or "=" not in form:
        return None
    try:
        return _to_json(form)
    except ValueError:
        return None


def _to_json(form: str) -> bytes:
    """Raises ValueError; UnicodeDecodeError is one."""
    pairs = parse_qsl(form, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    return json.dumps(dict(pairs), ensure_ascii=False, separators=(",", ":")).encode()
