"""How large calls may be: Segment's own limits, on the JSON after decompression (segment.md 3.3).

All refusals of a call are 400, as Segment's are: some libraries send anything else again and again.
"""

from receiver.core.errors import Refused

MAX_MESSAGE = 32 * 1024
"""Bytes of a single call, and of one item of a batch."""
MAX_BATCH = 500 * 1024
"""Bytes of a batch."""
MAX_ITEMS = 2500


class PayloadTooLarge(Refused):
    """A call of the tracking API beyond its limit. Segment's status and words."""

    code = "payload_too_large"

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"Exceed payload limit: {what} may have {limit} bytes of JSON.")


class BatchTooLong(Refused):
    """A batch of more items than Segment takes. Segment answers 200 and rejects them all; this says so."""

    code = "batch_too_long"

    def __init__(self) -> None:
        super().__init__(f"A batch may hold {MAX_ITEMS} messages; nothing of this one was kept.")


class InvalidWriteKey(Refused):
    """No source has this write key. Segment answers 200 to most of them and drops the messages."""

    code = "invalid_write_key"

    def __init__(self) -> None:
        super().__init__(
            "An invalid write key was provided: no source of routes.yaml has it as its write_key_env."
        )


class UnknownCall(Refused):
    """Nothing of the tracking API is at this path."""

    code = "unknown_call"
    status = 404
