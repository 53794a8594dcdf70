"""Look-ups for people: the command line, the demo. Synchronous, in bounded replies; nothing is written but by
`pause`, `resume` and `redrive`."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Any, cast

import msgspec
import redis

from receiver.core import clients, keys, records, route_states, scripts, store, upkeep
from receiver.core.clock import SYSTEM, Clock
from receiver.core.facts import DIGEST_BYTES
from receiver.core.message import Delivery, StoredMessage
from receiver.core.queue import Jobs
from receiver.core.route_states import RouteState
from receiver.core.scripts import rows, unpacked
from receiver.core.selection import Selection, identity

PAGE = 200
FEW = 50
"""Messages whose deliveries one script call looks up."""


class Store:
    """The store as people look at it. While it is away every method raises Unavailable or redis' errors."""

    def __init__(self, client: "redis.Redis", jobs: Jobs, clock: Clock = SYSTEM) -> None:
        self.redis = client
        self.jobs = jobs
        self.clock = clock

    @classmethod
    def open(cls, url: str, rq_url: str | None = None) -> "Store":
        """Connects on first use."""
        return cls(clients.connect(url, answer_s=15.0), Jobs(rq_url or url))

    def close(self) -> None:
        self.redis.close()
        self.jobs.close()

    def route_numbers(self) -> dict[str, int]:
        """Name → number of every route that was ever configured."""
        found = cast("dict[bytes, bytes]", self.redis.hgetall(keys.key("ROUTES")))
        return {name.decode(): int(number) for name, number in found.items()}

    def last_number(self) -> int:
        """Number of the newest message; 0 before the first."""
        return int(cast("bytes | None", self.redis.hget(keys.key("META"), "n")) or 0)

    def number_since(self, ms: int) -> int:
        """Number of the first message that arrived at or after `ms`."""
        made = scripts.call("read", {"act": "since", "ms": ms}, unpacked)
        return int(scripts.run_now(self.redis, made)["n"])

    def message(self, number: int) -> StoredMessage | None:
        """One message, or None when it is not kept (any more)."""
        return next(iter(self.messages([number])), None)

    def messages(self, numbers: Sequence[int]) -> Iterator[StoredMessage]:
        """The named messages that are kept, in the order named."""
        names = self._names()
        for first in range(0, len(numbers), PAGE):
            pipe = self.redis.pipeline(transaction=False)
            for number in numbers[first : first + PAGE]:
                pipe.xrange(keys.key("LOG"), str(number), str(number))
                pipe.hget(keys.key("REPEATS", number // keys.BLOCK), str(number))
            answers = pipe.execute()
            for entries, repeats in zip(answers[::2], answers[1::2], strict=True):
                for entry_id, fields in entries:
                    yield _stored(entry_id, fields, names, repeats)

    def scan(self, selection: Selection, *, newest_first: bool = True) -> Iterator[StoredMessage]:
        """Every kept message the selection takes, page by page."""
        if selection.numbers:
            found = self.messages(sorted(selection.numbers, reverse=newest_first))
        elif selection.user is not None:
            found = self.messages(sorted(self.numbers_of_user(selection.user), reverse=newest_first))
        else:
            found = self._walk(selection, newest_first=newest_first)
        return (message for message in found if selection.takes(message))

    def page(self, first: int, last: int, count: int) -> list[StoredMessage]:
        """Up to `count` kept messages from number `first` to `last`, oldest first."""
        entries = cast(
            "list[tuple[bytes, dict[bytes, bytes]]]",
            self.redis.xrange(keys.key("LOG"), str(first), str(last), count=count),
        )
        names = self._names()
        return [_stored(entry_id, fields, names, None) for entry_id, fields in entries]

    def _walk(self, selection: Selection, *, newest_first: bool) -> Iterator[StoredMessage]:
        names = self._names()
        low = self.number_since(selection.since_ms) if selection.since_ms is not None else 1
        high = self.last_number()
        if selection.until_ms is not None:
            high = min(high, self.number_since(selection.until_ms) - 1)
        while low <= high:
            if newest_first:
                page = self.redis.xrevrange(keys.key("LOG"), str(high), str(low), count=PAGE)
            else:
                page = self.redis.xrange(keys.key("LOG"), str(low), str(high), count=PAGE)
            entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", page)
            if not entries:
                return
            found = [_stored(entry_id, fields, names, None) for entry_id, fields in entries]
            for message, repeats in zip(found, self._repeats(found), strict=True):
                yield msgspec.structs.replace(message, repeats=repeats) if repeats else message
            if newest_first:
                high = found[-1].number - 1
            else:
                low = found[-1].number + 1

    def _repeats(self, found: list[StoredMessage]) -> list[int]:
        pipe = self.redis.pipeline(transaction=False)
        for message in found:
            pipe.hget(keys.key("REPEATS", message.number // keys.BLOCK), str(message.number))
        return [int(answer or 0) for answer in pipe.execute()]

    def find(self, message_id: str) -> list[int]:
        """Numbers of the kept messages with this messageId, oldest first: one a source and path, and more
        where it came with another body."""
        identities = [
            _identity(pair.decode(), message_id)
            for pair in cast("set[bytes]", self.redis.smembers(keys.key("PATHS")))
        ]
        numbers: set[int] = set()
        for bucket, slots in self._buckets():
            pipe = self.redis.pipeline(transaction=False)
            for digest in identities:
                pipe.hgetall(keys.key("IDS", bucket, _slot(digest, slots)))
            for digest, found in zip(identities, pipe.execute(), strict=True):
                numbers |= {
                    _indexed(field, value)
                    for field, value in found.items()
                    if field.startswith(digest[records.SLOT_BYTES :])
                }
        return [m.number for m in self.messages(sorted(numbers)) if identity(m.body) == message_id]

    def numbers_of_user(self, user: str) -> list[int]:
        """Numbers of messages that may be of this userId or anonymousId: the reader compares the whole id."""
        return sorted(set(self.each_of_user(user)))

    def each_of_user(self, user: str) -> Iterator[int]:
        """The same one by one, as the index is read; some may come twice."""
        digest = records.user_digest(user)
        name = digest[records.SLOT_BYTES :]
        for bucket, slots in self._buckets():
            for field, _ in self.redis.hscan_iter(
                keys.key("USERS", bucket, _slot(digest, slots * keys.USER_SLOTS)), count=1000
            ):
                if field.startswith(name):
                    yield int.from_bytes(field[len(name) :], "big")

    def _buckets(self) -> list[tuple[int, int]]:
        found = cast("list[bytes]", self.redis.zrange(keys.key("BUCKETS"), 0, -1))
        return [(int(one), int(slots)) for one, slots in (bucket.split(b":") for bucket in found)]

    def _names(self) -> dict[int, str]:
        return {number: name for name, number in self.route_numbers().items()}

    def deliveries(self, number: int) -> list[Delivery]:
        """Every delivery of a message, live ones first."""
        return self.deliveries_of([number]).get(number, [])

    def deliveries_of(self, numbers: Sequence[int]) -> dict[int, list[Delivery]]:
        """Those of several messages; one that is not kept (any more) is left out."""
        names = self._names()
        found: dict[int, list[Delivery]] = {}
        for first in range(0, len(numbers), FEW):
            asked = {"act": "deliveries", "numbers": list(numbers[first : first + FEW])}
            answer = scripts.run_now(self.redis, scripts.call("read", asked, unpacked))
            for number, received_ms, mine in rows(answer["rows"]):
                made = [_delivery(row, names, int(received_ms)) for row in rows(mine)]
                found[int(number)] = sorted(made, key=lambda delivery: delivery.replay)
        return found

    def routes(self) -> list[RouteState]:
        """Every route that was ever configured and is served or still holds something."""
        counts = self._recent_counts()
        states = scripts.run_now(self.redis, route_states.states())
        later = self._retries({state.number for state in states if not state.queue})
        found = [
            msgspec.structs.replace(state, counts=counts.get(state.number, {}), later=later[state.number])
            for state in states
        ]
        holding = [state for state in found if state.queue or state.waiting or state.dead or state.running]
        return sorted(holding, key=lambda state: state.name)

    def _retries(self, routes: Collection[int]) -> Counter[int]:
        """How many wait for a retry on each of these."""
        counts: Counter[int] = Counter()
        if routes:
            for ref, _ in self.redis.zscan_iter(keys.key("LATER"), count=1000):
                route = records.reference(ref.decode()).route
                counts[route] += route in routes
        return counts

    def _recent_counts(self) -> dict[int, dict[str, int]]:
        minute = self.clock.now_ms() // 60_000
        pipe = self.redis.pipeline(transaction=False)
        for ago in range(10):
            pipe.hgetall(keys.key("STATS", minute - ago))
        counts: dict[int, dict[str, int]] = {}
        for answer in pipe.execute():
            for field, value in answer.items():
                route, _, outcome = field.decode().partition(":")
                if outcome:
                    mine = counts.setdefault(int(route), {})
                    mine[outcome] = mine.get(outcome, 0) + int(value)
        return counts

    def totals(self) -> dict[str, int]:
        """Counts since the store began: `accepted`, `repeats`, `<route number>:<outcome>`."""
        found = cast("dict[bytes, bytes]", self.redis.hgetall(keys.key("TOTALS")))
        return {field.decode(): int(value) for field, value in found.items()}

    def dead(self, route: str, *, offset: int = 0, count: int = PAGE) -> list[Delivery]:
        """A page of a route's dead letters, newest first."""
        number = self.route_numbers().get(route)
        if number is None:
            return []
        page = self.redis.zrange(keys.key("DEAD", number), offset, offset + count - 1, desc=True)
        refs = [records.reference(text.decode()) for text in cast("list[bytes]", page)]
        received = {
            message.number: message.received_ms for message in self.messages([ref.number for ref in refs])
        }
        pipe = self.redis.pipeline(transaction=False)
        for ref in refs:
            pipe.hget(keys.key("DELIVERIES", ref.number // keys.BLOCK), ref.field)
            pipe.hget(keys.key("ATTEMPTS", ref.number // keys.BLOCK), ref.field)
        answers = pipe.execute()
        found = []
        for at, ref in enumerate(refs):
            record, blob = answers[2 * at], answers[2 * at + 1]
            row = ((record or b"x|0").decode(), (blob or b"").decode(), False, 0, "")
            found.append(records.delivery(ref, route, received.get(ref.number, 0), row))
        return found

    def references(self, deliveries: Sequence[Delivery]) -> list[str]:
        """What the store calls them."""
        numbers = self.route_numbers()
        return [str(records.Reference(one.message, numbers[one.route], one.replay)) for one in deliveries]

    def redrive(self, dead: Sequence[Delivery]) -> int:
        """Give dead letters a new round of attempts; counts those that still were dead."""
        refs = self.references(dead)
        done = 0
        for first in range(0, len(refs), PAGE):
            done += self._control(upkeep.redrive(refs[first : first + PAGE], now_ms=self.clock.now_ms()))
        return done

    def pause(self, route: int, reason: str) -> None:
        """Hold a route; its messages wait."""
        self._control(upkeep.pause(route, reason, now_ms=self.clock.now_ms()))

    def resume(self, route: int) -> bool:
        """Let a route go on; False when it was not paused."""
        return self._control(upkeep.resume(route, now_ms=self.clock.now_ms())) > 0

    def _control(self, made: "scripts.Call[tuple[int, tuple[store.Reserved, ...]]]") -> int:
        done, reserved = scripts.run_now(self.redis, made)
        self.jobs.enqueue(reserved)
        return done


def _delivery(row: Sequence[Any], names: dict[int, str], received_ms: int) -> Delivery:
    text, record, blob, running, due_ms, held = row
    ref = records.reference(text)
    name = names.get(ref.route, f"#{ref.route}")
    return records.delivery(ref, name, received_ms, (record, blob, running, int(due_ms), held))


def _slot(digest: bytes, slots: int) -> int:
    return int.from_bytes(digest[: records.SLOT_BYTES], "big") % slots


def _identity(pair: str, message_id: str) -> bytes:
    source, path = pair.split("\0")
    return records.identity(source, path, message_id)


def _indexed(field: bytes, value: bytes) -> int:
    """The number in an index entry: a first message has its content digest before it, another body none."""
    first = b"=" not in field[records.ID_BYTES - records.SLOT_BYTES :]
    return int.from_bytes(value[DIGEST_BYTES if first else 0 :], "big")


def _stored(
    entry_id: bytes, fields: dict[bytes, bytes], names: dict[int, str], repeats: Any
) -> StoredMessage:
    return records.unpack_entry(
        entry_id.decode(), fields[b"b"], fields[b"i"].decode(), names, int(repeats or 0)
    )
