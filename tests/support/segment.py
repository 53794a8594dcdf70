"""Bodies as Segment sends them: tests/fixtures/segment/messages.jsonl, one HTTP body a line.

Lines 1 to 36 are single messages; 37 is an Actions batch of lines 2, 9, 3; 38 an Extensible batch, which
wraps lines 19 and 20. Line 36 holds a lone surrogate.
"""

from pathlib import Path

LINES = tuple(
    (Path(__file__).parent.parent / "fixtures" / "segment" / "messages.jsonl").read_bytes().splitlines()
)
SINGLE = LINES[:36]


def line(number: int) -> bytes:
    """Line `number` of the file, from 1."""
    return LINES[number - 1]


def batch(*messages: bytes) -> bytes:
    """As Webhooks (Actions) sends several."""
    return b"[" + b",".join(messages) + b"]"


def wrapped(*messages: bytes) -> bytes:
    """As Extensible Webhook sends several."""
    return batch(*(b'{"json":' + message + b"}" for message in messages))


def envelope(*messages: bytes) -> bytes:
    """As the tracking libraries send several."""
    return b'{"batch":' + batch(*messages) + b',"sentAt":"2024-01-01T00:00:00.000Z"}'


def nested(levels: int) -> bytes:
    """A track message whose properties nest so deep that it has this many levels in all."""
    return b'{"type":"track","event":"Deep","properties":' + b'{"a":' * (levels - 1) + b"1" + b"}" * levels
