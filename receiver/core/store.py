"""Typed calls of the Lua scripts: with `lua/` the only code that knows the data layout.

Each function makes a `Call`; `scripts.run` and `scripts.run_now` send it. Look-ups for people are in
`receiver.core.reading`, replays in `receiver.core.replays`.
"""

import uuid
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import msgspec

from receiver.core import compress, records, scripts
from receiver.core.message import Accepted, NewMessage, Status
from receiver.core.records import Record
from receiver.core.routes import Config
from receiver.core.scripts import Call, rows, unpacked

CLAIM_BYTES = 4_000_000
"""Most compressed bytes of bodies in one claim."""


NEVER_TRIED = Record(status=Status.QUEUED, attempts=0)


class Reserved(msgspec.Struct, frozen=True):
    """A drain that was put on duty and that whoever called must enqueue as an RQ job."""

    queue: str
    drain: str


class Book(msgspec.Struct, frozen=True):
    """What the store calls things: its own id, and the numbers of the routes."""

    store_id: str
    numbers: dict[str, int]

    @property
    def names(self) -> dict[int, str]:
        return {number: name for name, number in self.numbers.items()}


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
        return Result(ref=self.ref, attempt=self.before.attempts + 1, letter=records.GIVE_BACK)


class Claim(msgspec.Struct, frozen=True):
    """The answer to a claim. `lost`: the store does not know this drain (any more)."""

    work: tuple[Work, ...] = ()
    more: bool = False
    next_due_ms: int = 0
    reserved: tuple[Reserved, ...] = ()
    relieved: bool = False
    """A successor has signed on: a drain that hands over may stop claiming."""
    lost: bool = False
    stale: bool = False
    """It is another store than the one the routes were published to: publish again."""


class Result(msgspec.Struct, frozen=True, array_like=True):
    """How one attempt ended, as the settle script reads it."""

    ref: str
    attempt: int
    letter: str
    record: str = ""
    due_ms: int = 0
    blob: str = ""
    pause: str = ""


class Settled(msgspec.Struct, frozen=True):
    """References whose lease this drain no longer held, and drains to enqueue."""

    refused: tuple[str, ...]
    reserved: tuple[Reserved, ...]


class Duty(msgspec.Struct, frozen=True):
    """The answer to a question of duty."""

    ok: bool
    drain: str | None
    reserved: tuple[Reserved, ...]
    reaped: tuple[tuple[str, int], ...] = ()
    """Drains taken off for silence, and how many references each had in flight."""
    leases: int = 0
    """What the drain that was reaped had in flight."""


def publish(config: Config, *, now_ms: int, serving: bool) -> Call[Book]:
    """Make the routes known. `serving`: this side works them, so its queues and limits are in force."""
    arguments = {
        "new_id": uuid.uuid4().hex,
        "now": now_ms,
        "paths": [f"{source.name}\0{path}" for source in config.sources.values() for path in source.paths],
        "routes": [(route.name, route.queue, route.concurrency) for route in config.routes.values()],
        "serving": serving,
        "version": config.version,
    }

    def decode(reply: Any) -> Book:
        answer = unpacked(reply)
        return Book(store_id=answer["id"], numbers=dict(answer["routes"] or {}))

    return scripts.call("publish", arguments, decode)


def accept(messages: Sequence[NewMessage], book: Book, *, now_ms: int, window_ms: int) -> Call[Acceptance]:
    """Store messages in one atomic step. `window_ms`: how long a repeated messageId counts as a repeat."""
    table = {"store": book.store_id, "now": now_ms, "window": window_ms}
    packed = chain.from_iterable(_packed(message, book.numbers) for message in messages)
    return scripts.call("accept", table, _acceptance, *packed)


def _packed(message: NewMessage, numbers: dict[str, int]) -> tuple[bytes | str, ...]:
    """Five arguments of the accept script."""
    identity = b""
    if message.message_id is not None:
        identity = records.identity(message.source, message.path, message.message_id)
    routes = ",".join([str(numbers[route]) for route in message.routes])
    return (
        compress.compress(message.body),
        records.pack_info(message.source, message.path, covered=message.covered) + routes,
        identity,
        message.content,
        b"".join([records.user_digest(user) for user in message.users]),
    )


def _acceptance(reply: Any) -> Acceptance:
    answer = unpacked(reply)
    if answer.get("stale"):
        return Acceptance(messages=(), reserved=(), stale=True)
    messages = tuple(
        Accepted(number=number, repeat=repeat, same_id_as=same or None)
        for number, repeat, same in rows(answer["answers"])
    )
    return Acceptance(messages=messages, reserved=_reserved(answer))


def _reserved(answer: dict[str, Any]) -> tuple[Reserved, ...]:
    return tuple(Reserved(queue, drain) for queue, drain in rows(answer.get("reserved")))


def claim(
    book: Book,
    queue: str,
    drain: str,
    *,
    now_ms: int,
    most: int,
    excluded: Iterable[int] = (),
    leaving: bool = False,
) -> Call[Claim]:
    """Up to `most` references of a queue. `excluded`: numbers of routes this drain does not know."""
    arguments = {
        "store": book.store_id,
        "queue": queue,
        "drain": drain,
        "now": now_ms,
        "max": most,
        "max_bytes": CLAIM_BYTES,
        "excluded": list(excluded),
        "leaving": leaving,
    }
    return scripts.call("claim", arguments, _claim)


def claim_suspects(book: Book, drain: str) -> Call[Claim]:
    """Half a group of references whose drain crashed, for a quarantine drain."""
    return scripts.call("claim_suspects", {"store": book.store_id, "drain": drain}, _claim)


def _claim(reply: Any) -> Claim:
    answer = unpacked(reply[0])
    if "more" not in answer:
        return Claim(lost="lost" in answer, stale="stale" in answer)
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
    return Claim(
        work=work,
        more=answer["more"],
        next_due_ms=int(answer["next_due"]),
        reserved=_reserved(answer),
        relieved=answer["relieved"],
    )


def settle(drain: str, results: Sequence[Result], *, now_ms: int, quarantine: bool = False) -> Call[Settled]:
    """Record how attempts ended; each counts only while the drain still holds the lease of that attempt."""
    arguments = {"drain": drain, "now": now_ms, "results": results, "quarantine": quarantine}

    def decode(reply: Any) -> Settled:
        answer = unpacked(reply)
        return Settled(refused=tuple(rows(answer["refused"])), reserved=_reserved(answer))

    return scripts.call("settle", arguments, decode)


def _duty(act: str, *, now_ms: int, queue: str = "", drain: str = "", **more: Any) -> Call[Duty]:
    arguments = {"act": act, "now": now_ms, "queue": queue, "drain": drain, **more}

    def decode(reply: Any) -> Duty:
        answer = unpacked(reply)
        return Duty(
            ok=answer["ok"],
            drain=answer.get("drain"),
            reserved=_reserved(answer),
            reaped=tuple((drain, int(count)) for drain, count in rows(answer.get("reaped"))),
            leases=int(answer.get("leases", 0)),
        )

    return scripts.call("duty", arguments, decode)


def sign_on(queue: str, drain: str, *, now_ms: int, worker: str, host: str, pid: int) -> Call[Duty]:
    """Take up duty under a reserved id; not ok when the reservation lapsed and another drain is on duty."""
    return _duty("sign_on", now_ms=now_ms, queue=queue, drain=drain, worker=worker, host=host, pid=pid)


def beat(queue: str, drain: str, *, now_ms: int) -> Call[Duty]:
    """Renew duty and all leases of a drain; not ok when the store no longer knows it."""
    return _duty("beat", now_ms=now_ms, queue=queue, drain=drain)


def hand_over(queue: str, drain: str, *, now_ms: int) -> Call[Duty]:
    """Reserve a successor; the answer names it."""
    return _duty("hand_over", now_ms=now_ms, queue=queue, drain=drain)


def sign_off(queue: str, drain: str, *, now_ms: int, stopping: bool) -> Call[Duty]:
    """Leave duty; not ok means stay. May name a drain to enqueue, for work that nobody else would see."""
    return _duty("sign_off", now_ms=now_ms, queue=queue, drain=drain, stopping=stopping)


def reserve(queue: str, *, now_ms: int) -> Call[Duty]:
    """One more drain for a queue."""
    return _duty("reserve", now_ms=now_ms, queue=queue)


def reap(drain: str, *, now_ms: int) -> Call[Duty]:
    """Take a dead drain's duty and leases away at once; what it had in flight becomes suspect."""
    return _duty("reap", now_ms=now_ms, drain=drain)


def sweep(queues: Iterable[str], routes: Iterable[int], *, now_ms: int, reaping: bool) -> Call[Duty]:
    """What may have been lost in between: due retries, silent drains, routes with work nobody looks at,
    queues without a drain. `reaping` is off just after an outage, when every heartbeat is late."""
    return _duty(
        "sweep",
        now_ms=now_ms,
        queues=list(queues),
        routes=[str(route) for route in routes],
        reaping=reaping,
    )


class QueueState(msgspec.Struct, frozen=True):
    """A queue as it stands."""

    queue: str
    ready: int
    """Routes with work."""
    drains: tuple[str, ...]
    """Drains on duty."""
    claimable: int
    """Deliveries that a drain could take now."""


def queues(names: Iterable[str], *, now_ms: int) -> Call[list[QueueState]]:
    """How the named queues stand."""

    def decode(reply: Any) -> list[QueueState]:
        return [
            QueueState(name, int(ready), tuple(rows(drains)), int(claimable))
            for name, ready, drains, claimable in rows(unpacked(reply)["rows"])
        ]

    return scripts.call("read", {"act": "queues", "queues": list(names), "now": now_ms}, decode)


class Trimmed(msgspec.Struct, frozen=True):
    """Progress of retention."""

    deleted: int
    more: bool
    kept_bytes: int


def trim(*, before_ms: int, max_bytes: int, pressure: bool, budget: int = 200) -> Call[Trimmed]:
    """Delete up to `budget` of the oldest messages that owe nothing: older than `before_ms`, or beyond
    `max_bytes` (0: no limit), or, under `pressure`, whatever is oldest."""
    arguments = {"before": before_ms, "max_bytes": max_bytes, "pressure": pressure, "budget": budget}

    def decode(reply: Any) -> Trimmed:
        answer = unpacked(reply)
        return Trimmed(int(answer["deleted"]), bool(answer["more"]), int(answer["bytes"]))

    return scripts.call("trim", arguments, decode)


def _control(act: str, *, now_ms: int, **more: Any) -> Call[tuple[int, tuple[Reserved, ...]]]:
    def decode(reply: Any) -> tuple[int, tuple[Reserved, ...]]:
        answer = unpacked(reply)
        return int(answer["done"]), _reserved(answer)

    return scripts.call("control", {"act": act, "now": now_ms, **more}, decode)


def pause(route: int, reason: str, *, now_ms: int) -> Call[tuple[int, tuple[Reserved, ...]]]:
    """Hold a route: its messages wait, nothing is lost."""
    return _control("pause", now_ms=now_ms, route=str(route), reason=reason)


def resume(route: int, *, now_ms: int) -> Call[tuple[int, tuple[Reserved, ...]]]:
    """Let a route go on; the answer is 0 when it was not paused."""
    return _control("resume", now_ms=now_ms, route=str(route))


def redrive(refs: Sequence[str], *, now_ms: int) -> Call[tuple[int, tuple[Reserved, ...]]]:
    """Give dead letters a new round of attempts; the answer counts those that still were dead."""
    return _control("redrive", now_ms=now_ms, refs=list(refs))
