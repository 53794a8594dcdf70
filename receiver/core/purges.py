"""Orders to purge a user: by a `delete` message, on a source with `on_delete: purge`, or by hand.

The first is recorded by the accept script, together with its message; `workers.purge` works both. Each step
is one atomic script that deletes messages together with their index entries, so that several may work the
same order, and whoever begins again finds what is left.
"""

from collections.abc import Iterable, Iterator
from typing import Any, cast

import msgspec
import redis

from receiver.core import keys, records, scripts
from receiver.core.scripts import Call, unpacked


class Order(msgspec.Struct, frozen=True):
    """One that is not done."""

    id: str
    """The number of its message, or `hand-<number>`."""
    before: int
    """First number that is spared."""
    user: str | None = None
    """None: its message says it."""


class Purge(msgspec.Struct, frozen=True):
    """How far an order is."""

    messages: int
    """Deleted so far."""
    done: bool


def order(client: "redis.Redis", user: str) -> str:
    """Order by hand that all of a user's messages be deleted; answers the order."""
    made = scripts.call("purge", {"act": "order"}, unpacked, user.encode("utf-8", "surrogatepass"))
    return str(scripts.run_now(client, made)["order"])


def pending(client: "redis.Redis", most: int) -> Iterator[Order]:
    """Up to so many that are not done, oldest first."""
    for name in cast("list[bytes]", client.zrange(keys.key("PURGES"), 0, most - 1)):
        if name.isdigit():
            yield Order(id=name.decode(), before=int(name))
        elif found := cast("bytes | None", client.hget(keys.key("ORDERED"), name.decode())):
            before, _, user = found.partition(b":")
            yield Order(id=name.decode(), before=int(before), user=user.decode("utf-8", "surrogatepass"))


def progress(client: "redis.Redis", order: str) -> Purge:
    """How far an order is."""
    pipe = client.pipeline(transaction=True)
    pipe.hget(keys.key("PURGED"), order)
    pipe.zscore(keys.key("PURGES"), order)
    messages, waiting = pipe.execute()
    return Purge(messages=int(messages or 0), done=waiting is None)


def step(order: str, messages: Iterable[tuple[int, tuple[str, ...]]], *, now_ms: int) -> Call[int]:
    """Delete messages, each given with all its users; answers how many there were."""
    found: list[bytes | str] = []
    for number, users in messages:
        found += (str(number), b"".join(map(records.user_digest, users)))

    def decode(reply: Any) -> int:
        return int(unpacked(reply)["purged"])

    table = {"act": "step", "order": order, "now": now_ms}
    return scripts.call("purge", table, decode, *found)


def finish(order: str) -> Call[Purge]:
    """End an order; `done` is true for the first caller only."""

    def decode(reply: Any) -> Purge:
        answer = unpacked(reply)
        return Purge(messages=int(answer["purged"]), done=answer["ended"])

    return scripts.call("purge", {"act": "finish", "order": order}, decode)
