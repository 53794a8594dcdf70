"""The way of a message through the store, as typed calls of the Lua scripts: publish, accept, turn.

Each function makes a `Call`; `scripts.run` and `scripts.run_now` send it. Beside it stand `duty` (drains on
and off duty), `upkeep` (retention, pauses, redrives), `replays`, and `reading` (look-ups for people).
"""

import itertools
import uuid
from collections.abc import Iterable, Sequence
from functools import lru_cache, partial
from typing import Any, Literal

import msgspec

from receiver.core import compress, records, scripts
from receiver.core.message import Accepted, NewMessage, Status
from receiver.core.records import Record
from receiver.core.routes import Config
from receiver.core.scripts import Call, rows, unpacked

CLAIM_BYTES = 4_000_000
"""Most compressed bytes of bodies in one claim."""
NO_ID = bytes(records.ID_BYTES)
"""Stands where a message has no messageId whose digest could be compared."""

NEVER_TRIED = Record(status=Status.QUEUED, attempts=0)


class Reserved(msgspec.Struct, frozen=True):
    """A drain that was put on duty and that whoever called must enqueue as an RQ job."""

    queue: str
    drain: str


class Book(msgspec.Struct, frozen=True, eq=False):
    """What the store calls things: its own id, and the numbers of the routes."""

    store_id: str
    numbers: dict[str, int]
    names: dict[int, str]
    order: int = 0
    """Of the version that was published, among those that workers were given; 0: it was only made known."""


class Acceptance(msgspec.Struct, frozen=True):
    """The answer to one accept call. `stale`: the store is another one (restarted empty), publish again."""

    messages: tuple[Accepted, ...]
    reserved: tuple[Reserved, ...]
    stale: bool = False


class Work(msgspec.Struct, frozen=True):
    """A claimed delivery: what a drain needs to run it."""

    ref: str
    entry_id: str
    packed: bytes
    info: str
    state: str
    blob: str

    @property
    def received_ms(self) -> int:
        return int(self.entry_id.split("-")[1])

    @property
    def body(self) -> bytes:
        return compress.decompress(self.packed)

    @property
    def before(self) -> Record:
        """The delivery as the last attempt left it."""
        return records.unpack_record(self.state) if self.state else NEVER_TRIED

    @property
    def give_back(self) -> "Result":
        """Settles the claim as if it had not been."""
        return given_back(self.ref, self.before.attempts + 1)


class BreakerChange(msgspec.Struct, frozen=True):
    """What a turn did to the circuit breaker of a route."""

    route: int
    state: str
    """`open`, `probing`, `releasing` or `closed`."""
    reason: str
    """Why it opened."""
    probe_ms: int
    """In how many milliseconds an open one probes."""
    limit: int
    """How many attempts may run at a time; 0: as many as the route's concurrency."""


class Turn(msgspec.Struct, frozen=True):
    """The answer to one turn of a drain. `lost`: the store does not know this drain (any more)."""

    work: tuple[Work, ...] = ()
    more: bool = False
    """More could have been claimed."""
    full: frozenset[int] = frozenset()
    """Routes whose work waits for the slots of what runs."""
    rest_ms: int = -1
    """In how many milliseconds the next retry is due, or a route may be claimed again; -1: none waits."""
    refused: tuple[str, ...] = ()
    """Results that came too late: the lease had been taken away, another drain runs the delivery again."""
    reserved: tuple[Reserved, ...] = ()
    relieved: bool = False
    """A successor has signed on: a drain that hands over may stop claiming."""
    lost: bool = False
    stale: bool = False
    """It is another store than the one the routes were published to: publish again."""
    breakers: tuple[BreakerChange, ...] = ()


class Result(msgspec.Struct, frozen=True, array_like=True):
    """How one attempt ended, as the turn script reads it."""

    ref: str
    attempt: int
    letter: str
    record: str = ""
    due_ms: int = 0
    blob: str = ""
    pause: str = ""
    failure: str = ""
    """The code, where it is the destination that failed: what its route's breaker counts."""


def given_back(ref: str, attempt: int) -> Result:
    """Settles a claim as if it had not been: back to the front of the backlog, no attempt counted."""
    return Result(ref=ref, attempt=attempt, letter=records.GIVE_BACK)


Serving = Literal["", "empty", "again", "anew"]
"""How a config is published: only made known; put in force in a store that has none; put in force unless
somebody serves a newer one; put in force as the newest."""


def publish(
    config: Config, *, now_ms: int, serving: Serving = "", process: str = "", order: int = 0
) -> Call[Book]:
    """Make the routes known; as far as `serving` says, their queues and limits are in force.

    `process` is the supervisor that publishes; `order` what the last `Book` said of this version.
    """
    arguments = {
        "new_id": uuid.uuid4().hex,
        "now": now_ms,
        "paths": [f"{one.source.name}\0{one.path}" for one in config.ways_in()],
        "routes": [
            (route.name, route.queue, route.concurrency, route.rate_limit) for route in config.routes.values()
        ],
        "serving": serving,
        "version": config.version,
        "process": process,
        "order": order,
    }

    def decode(reply: Any) -> Book:
        answer = unpacked(reply)
        numbers = dict(answer["routes"] or {})
        names = {number: name for name, number in numbers.items()}
        return Book(answer["id"], numbers, names, int(answer["order"]))

    return scripts.call("publish", arguments, decode)


def accept(messages: Sequence[NewMessage], book: Book, *, now_ms: int, window_ms: int) -> Call[Acceptance]:
    """Store messages in one atomic step. `window_ms`: how long a repeated messageId counts as a repeat."""
    table: dict[str, Any] = {"store": book.store_id, "now": now_ms, "window": window_ms}
    packed: list[bytes | str] = []
    orders: dict[int, dict[int, str]] = {}
    for message in messages:
        if message.order:
            orders[len(packed) + 2] = {book.numbers[route]: key for route, key in message.order}
        packed += (compress.compress(message.body), _info(book, message), _digests(message))
    if orders:
        table["orders"] = orders
    return scripts.call("accept", table, partial(_acceptance, len(messages)), *packed)


def _info(book: Book, message: NewMessage) -> str:
    """What stands beside the body."""
    written = _info_text if not message.settings else _info_text.__wrapped__
    return written(
        book,
        message.source,
        message.path,
        message.covered,
        message.orders_purge,
        message.routes,
        message.settings,
    )


@lru_cache(maxsize=4096)
def _info_text(
    book: Book,
    source: str,
    path: str,
    covered: bool,
    orders_purge: bool,
    routes: tuple[str, ...],
    settings: str,
) -> str:
    """Remembered, because it is the same for many; not with settings, which can be long."""
    numbers = ",".join(str(book.numbers[route]) for route in routes)
    info = records.pack_info(source, path, covered=covered, orders_purge=orders_purge, settings=settings)
    return info + numbers


def _digests(message: NewMessage) -> bytes:
    identity = NO_ID
    if message.message_id is not None:
        identity = records.identity(message.source, message.path, message.message_id)
    return b"".join((message.content, identity, *map(records.user_digest, message.users)))


def _acceptance(count: int, reply: Any) -> Acceptance:
    """Only what is not simply new is named in the answer; the numbers of the others follow each other."""
    answer = unpacked(reply)
    if answer.get("stale"):
        return Acceptance(messages=(), reserved=(), stale=True)
    repeats, same_ids = dict(rows(answer["repeats"])), dict(rows(answer["same_ids"]))
    numbers = itertools.count(answer["first"])
    messages = tuple(
        Accepted(number=repeats[index], repeat=True)
        if index in repeats
        else Accepted(number=next(numbers), same_id_as=same_ids.get(index))
        for index in range(count)
    )
    return Acceptance(messages=messages, reserved=reserved(answer))


def reserved(answer: dict[str, Any]) -> tuple[Reserved, ...]:
    return tuple(Reserved(queue, drain) for queue, drain in rows(answer.get("reserved")))


def turn(
    book: Book,
    queue: str,
    drain: str,
    results: Sequence[Result],
    *,
    now_ms: int,
    most: int,
    excluded: Iterable[int] = (),
    leaving: bool = False,
    quarantine: bool = False,
) -> Call[Turn]:
    """Settle `results`, then claim up to `most` references of the queue (0: none), in one call.

    `excluded`: numbers of routes this drain does not know.
    """
    arguments = {
        "store": book.store_id,
        "queue": queue,
        "drain": drain,
        "now": now_ms,
        "results": results,
        "max": most,
        "max_bytes": CLAIM_BYTES,
        "excluded": list(excluded),
        "leaving": leaving,
        "quarantine": quarantine,
    }
    return scripts.call("turn", arguments, _turn)


def claim_suspects(book: Book, drain: str, *, now_ms: int) -> Call[Turn]:
    """Half a group of references whose drain crashed, for a quarantine drain."""
    table = {"store": book.store_id, "drain": drain, "now": now_ms}
    return scripts.call("claim_suspects", table, _turn)


def _turn(reply: Any) -> Turn:
    answer = unpacked(reply[0])
    if "more" not in answer:
        return Turn(lost="lost" in answer, stale="stale" in answer)
    work = tuple(
        Work(
            reply[at].decode(),
            reply[at + 1].decode(),
            reply[at + 2],
            reply[at + 3].decode(),
            reply[at + 4].decode(),
            reply[at + 5].decode(),
        )
        for at in range(1, len(reply), 6)
    )
    return Turn(
        work=work,
        more=answer["more"],
        full=frozenset(rows(answer["full"])),
        rest_ms=answer["rest_ms"],
        refused=tuple(rows(answer["refused"])),
        reserved=reserved(answer),
        relieved=answer["relieved"],
        breakers=tuple(BreakerChange(*change) for change in rows(answer["breakers"])),
    )
