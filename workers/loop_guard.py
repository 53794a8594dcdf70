"""Cuts circles: what Hookyard sent to Segment comes back by one of its sources, and would be sent on again.

What comes back is received, kept and worked like any other message, up to the step that would send it on:
that one ends the delivery.
"""

from receiver.core.connections import Connection
from workers.errors import SegmentLoop
from workers.message import Message
from workers.outcome import Drop


def cut(message: Message, connection: Connection) -> Drop | None:
    """How the delivery ends when sending by this connection would go round once too often; None: go on."""
    hops = message.hops
    if hops < connection.max_hops:
        return None
    times = "once" if hops == 1 else f"{hops} times"
    return Drop(
        f"not sent: Hookyard sent this message, or what caused it, to Segment {times} already. If it is no "
        f"circle, raise max_hops of the connection {connection.name} in routes.yaml, which is "
        f"{connection.max_hops}",
        SegmentLoop.code,
    )
