"""The shapes in which Segment sends several messages, or wraps one (segment.md 1.3, 1.4, 3.1).

The signature schemes and `receiver.split` must agree on what "the first message" is, so both ask here.
"""

from collections.abc import Mapping

import msgspec

from receiver.core import json_text


def batch_of(fields: Mapping[str, msgspec.Raw]) -> bytes | None:
    """The array of a `{"batch": […]}` envelope; None for all else, also for a message with that field."""
    batch = fields.get("batch")
    if batch is None or "type" in fields or not json_text.is_array(bytes(batch)):
        return None
    return bytes(batch)


def wrapped_in(fields: Mapping[str, msgspec.Raw]) -> bytes | None:
    """The object inside `{"json": {…}}`; None for anything else. Extensible Webhooks wrap batch items so."""
    inner = fields.get("json") if len(fields) == 1 else None
    if inner is None or not json_text.is_object(bytes(inner)):
        return None
    return bytes(inner)
