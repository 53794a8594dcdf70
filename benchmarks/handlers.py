"""What the benchmarks' routes and RQ jobs call."""

import os
import time

from workers.api import Context, Message


def job(_body: bytes) -> None:
    """The RQ job of the baselines: nothing, as `noop`."""


async def noop(_message: Message, _context: Context) -> None:
    """Nothing: what remains is the system."""


async def started(message: Message, _context: Context) -> None:
    """Appends to the file BENCH_LATENCIES how long ago a stamped message was sent (ns), one line each."""
    now = time.time_ns()
    sent = message.data.get("benchSentNs")
    if sent is None:
        return
    file = os.open(os.environ["BENCH_LATENCIES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, b"%d\n" % (now - int(sent)))
    finally:
        os.close(file)
