"""Counts what was promised against what came of it: every message answered 200 must reach its routes or be a
dead letter with a reason.

Handlers of `tests.support.noting` write one line a call; `Audit` holds what was acknowledged and compares.
"""

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import redis

from receiver.core import keys
from receiver.core.clock import SYSTEM, pause
from receiver.core.reading import Store


@dataclass(frozen=True, slots=True)
class Note:
    """One line of a handler."""

    what: str
    """`began` or `done`."""
    route: str
    message_id: str
    attempt: int
    replay: int
    pid: int
    at_ms: int


class Notes:
    """The file all handlers append to, read as it grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()
        self._read = 0
        self._all: list[Note] = []

    def all(self) -> list[Note]:
        """Every note so far, in the order written."""
        with self.path.open("rb") as file:
            file.seek(self._read)
            fresh = file.read()
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.decode().splitlines():
            what, route, message_id, attempt, replay, pid, at_ms = line.split("\t")
            self._all.append(Note(what, route, message_id, int(attempt), int(replay), int(pid), int(at_ms)))
        return self._all

    def done(self, route: str | None = None, *, replay: int | None = 0) -> Counter[str]:
        """messageId → how often a handler came to its end with it."""
        return Counter(
            note.message_id
            for note in self.all()
            if note.what == "done" and route in (None, note.route) and replay in (None, note.replay)
        )

    def began(self, message_id: str) -> list[Note]:
        return [note for note in self.all() if note.what == "began" and note.message_id == message_id]


@dataclass(frozen=True, slots=True)
class Balance:
    """The result of an audit."""

    acknowledged: int
    delivered: int
    """Deliveries that arrived at least once."""
    doubles: int
    """Calls of a handler beyond the first."""
    dead: Counter[str]
    """Dead letters by reason."""
    lost: list[tuple[str, str]]
    """messageId and route of what neither arrived nor is a dead letter."""


class Audit:
    """What was acknowledged, and to which routes it must go."""

    def __init__(self, notes: Notes, routes: Callable[[str], Iterable[str]]) -> None:
        """`routes`: event → names of the routes that take it."""
        self.notes = notes
        self._routes = routes
        self._lock = threading.Lock()
        self._due: dict[str, frozenset[str]] = {}
        self._sent_ms: dict[str, int] = {}

    def acknowledged(self, message_id: str, event: str, sent_ms: int) -> None:
        """A 200 came back for this message."""
        with self._lock:
            self._due[message_id] = frozenset(self._routes(event))
            self._sent_ms[message_id] = sent_ms

    def __len__(self) -> int:
        return len(self._due)

    def balance(self, store: Store) -> Balance:
        """Where things stand."""
        with self._lock:
            due = dict(self._due)
        arrived: dict[str, Counter[str]] = defaultdict(Counter)
        for note in self.notes.all():
            if note.what == "done" and not note.replay:
                arrived[note.route][note.message_id] += 1
        dead = {
            (message_id, route): code
            for route in frozenset().union(*due.values())
            for message_id, code in dead_of(store, route)
        }
        wanted = [(message_id, route) for message_id, routes in due.items() for route in routes]
        return Balance(
            acknowledged=len(due),
            delivered=sum(arrived[route][message_id] > 0 for message_id, route in wanted),
            doubles=sum(count - 1 for counts in arrived.values() for count in counts.values()),
            dead=Counter(dead.values()),
            lost=[
                (message_id, route)
                for message_id, route in wanted
                if not arrived[route][message_id] and (message_id, route) not in dead
            ],
        )

    def settle(self, store: Store, seconds: float = 30.0) -> Balance:
        """Wait until nothing is owed any more, then compare. AssertionError names what was lost."""
        deadline = SYSTEM.monotonic() + seconds
        while left := open_work(store):
            assert SYSTEM.monotonic() < deadline, f"after {seconds:g} s still open: {left}"
            pause(0.05)
        found = self.balance(store)
        print(
            f"audit: {found.acknowledged} acknowledged, {found.delivered} deliveries, "
            f"{found.doubles} more than once, dead {dict(found.dead)}"
        )
        assert not found.lost, f"{len(found.lost)} lost, such as {found.lost[:5]}"
        return found

    def latencies(self, route: str) -> list[int]:
        """Milliseconds from sending to the handler's first start, sorted."""
        first: dict[str, int] = {}
        for note in self.notes.all():
            if note.what == "began" and note.route == route and not note.replay:
                first.setdefault(note.message_id, note.at_ms)
        return sorted(
            first[message_id] - sent_ms
            for message_id, sent_ms in self._sent_ms.items()
            if message_id in first
        )


def dead_of(store: Store, route: str) -> list[tuple[str, str]]:
    """messageId and reason of every dead letter of a route."""
    found, offset = [], 0
    while page := store.dead(route, offset=offset):
        for delivery in page:
            message = store.message(delivery.message)
            assert message is not None, f"{delivery} has lost its message"
            found.append((_message_id(message.body), delivery.code))
        offset += len(page)
    return found


def debts(store: Store) -> int:
    """Open deliveries of all messages, dead letters apart."""
    client = store.redis
    owed = sum(int(value) for value in client.hvals(keys.key("OWED")))
    dead = sum(client.zcard(keys.key("DEAD", number)) for number in store.route_numbers().values())
    return owed - dead


def open_work(store: Store) -> dict[str, int]:
    """Everything that should be empty when all is delivered, where it is not."""
    client: redis.Redis = store.redis
    numbers = store.route_numbers().values()
    counts = {
        "debts": debts(store),
        "later": client.zcard(keys.key("LATER")),
        "suspects": client.llen(keys.key("SUSPECTS")),
        "backlog": sum(client.llen(keys.key("BACKLOG", number)) for number in numbers),
        "replaying": sum(client.llen(keys.key("REPLAYING", number)) for number in numbers),
        "running": sum(client.scard(keys.key("RUNNING", number)) for number in numbers),
        "leases": sum(client.hlen(key) for key in client.scan_iter(keys.key("LEASE") + "*", count=1000)),
    }
    return {name: count for name, count in counts.items() if count}


def _message_id(body: bytes) -> str:
    return str(json.loads(body)["messageId"])
