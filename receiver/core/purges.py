"""Orders to purge a user: what a `delete` message asks of a source with `on_delete: purge`.

The order is recorded by the accept script, together with its message; `workers.purge` works it. Each step is
one atomic script that deletes messages together with their index entries, so that several may work the same
order, and whoever begins again finds what is left.
"""

from collections.abc import Iterable
from typing import Any, cast

import msgspec
import redis

from receiver.core import keys, records, scripts
from receiver.core.scripts import Call, unpacked


class Purge(msgspec.Struct, frozen=True):
    """How far an order is."""

    messages: int
    """Deleted so far."""
    done: bool


def pending(client: "redis.Redis", most: int) -> list[int]:
    """Numbers of the messages whose orders are not done, oldest first."""
    found = cast("list[bytes]", client.zrange(keys.key("PURGES"), 0, most - 1))
    return [int(number) for number in found]


def progress(client: "redis.Redis", order: int) -> Purge:
    """Of a message that ordered a purge."""
    pipe = client.pipeline(transaction=True)
    pipe.hget(keys.key("PURGED"), str(order))
    pipe.zscore(keys.key("PURGES"), str(order))
    messages, waiting = pipe.execute()
    return Purge(messages=int(messages or 0), done=waiting is None)


def step(order: int, messages: Iterable[tuple[int, tuple[str, ...]]], *, now_ms: int) -> Call[int]:
    """Delete messages, each given with all its users; answers how many there were."""
    found: list[bytes | str] = []
    for number, users in messages:
        found += (str(number), b"".join(map(records.user_digest, users)))

    def decode(reply: Any) -> int:
        return int(unpacked(reply)["purged"])

    table = {"act": "step", "order": order, "now": now_ms}
    return scripts.call("purge", table, decode, *found)


def finish(order: int) -> Call[Purge]:
    """End an order; `done` is true for the first caller only."""

    def decode(reply: Any) -> Purge:
        answer = unpacked(reply)
        return Purge(messages=int(answer["purged"]), done=answer["ended"])

    return scripts.call("purge", {"act": "finish", "order": order}, decode)
