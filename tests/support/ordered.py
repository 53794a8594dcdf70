"""The scripts under any schedule of drains that claim, settle, crash and come back, checked against a plain
model: of each ordering key one is in play at a time, in the order they arrived, and nothing is lost."""

from dataclasses import dataclass, field
from typing import cast

import redis

from receiver.core import duty, keys, purges, records, replays, scripts, store, upkeep
from receiver.core.message import Status
from receiver.core.records import Record
from receiver.core.replays import Plan
from receiver.core.selection import Selection
from receiver.core.store import Result, Turn, Work
from tests.support.stored import config, message, route

NOW = 1_800_000_000_000
ROUTE = "ordered"
LETTERS = {
    "delivered": Status.DELIVERED,
    "dropped": Status.DROPPED,
    "dead": Status.DEAD,
    "waits": Status.WAITING,
    "overtaken": Status.WAITING,
}


@dataclass
class Delivery:
    """What the model knows of one."""

    key: str
    number: int
    replay: int
    out_of_line: bool = False
    """It let others of its key go first, once: they need not wait for it any more."""


@dataclass
class Schedule:
    """One route that orders, with everything that can happen to its deliveries."""

    client: "redis.Redis"
    now: int = NOW
    open: dict[str, Delivery] = field(default_factory=dict)
    dead: dict[str, Delivery] = field(default_factory=dict)
    flying: dict[str, list[Work]] = field(default_factory=dict)
    """Drain → what it has in hand."""
    keys: dict[int, str] = field(default_factory=dict)
    """Number of each message that is kept → its key."""
    born: int = 0

    def __post_init__(self) -> None:
        self.client.flushall()
        made = config(route(ROUTE, concurrency=4, order_by=("userId",)), route("other"))
        self.book = scripts.run_now(self.client, store.publish(made, now_ms=NOW, serving="anew"))

    def accept(self, key: str) -> None:
        order = ((ROUTE, key),) if key else ()
        made = store.accept([message(ROUTE, order=order)], self.book, now_ms=self.now, window_ms=1000)
        self._add(key, scripts.run_now(self.client, made).messages[0].number, 0)

    def replay(self, keys_: dict[int, str]) -> None:
        """Deliver messages again: number → key."""
        plan = Plan(selection=Selection(), routes=(ROUTE,), rate=100.0)
        last = max(keys_)
        replay = replays.create(self.client, plan, first=1, last=last, now_ms=self.now)
        refs = {f"{number}:1:{replay}": key for number, key in sorted(keys_.items())}
        walk = replays.step(replay, refs, cursor=0, to=last, scanned=1, matched=1, now_ms=self.now)
        assert scripts.run_now(self.client, walk).ok
        for number, key in keys_.items():
            self._add(key, number, replay)

    def _add(self, key: str, number: int, replay: int) -> None:
        self.keys[number] = key
        self.open[f"{number}:1:{replay}"] = Delivery(key, number, replay)

    def replay_all(self) -> None:
        """Once more, those that are over and still kept."""
        taken = {one.number for one in (*self.open.values(), *self.dead.values())}
        if over := {number: key for number, key in self.keys.items() if number not in taken}:
            self.replay(over)

    def in_hand(self) -> list[str]:
        """References in flight, the longest claimed first."""
        return [work.ref for works in self.flying.values() for work in works]

    def claim(self, most: int) -> None:
        drain = self._drain("default")
        self._take(drain, self._turn("default", drain, [], most))

    def claim_suspects(self) -> None:
        drain = self._drain("quarantine")
        self._take(
            drain, scripts.run_now(self.client, store.claim_suspects(self.book, drain, now_ms=self.now))
        )

    def _drain(self, queue: str) -> str:
        self.born += 1
        drain = f"drain-{queue}-{self.born}"
        made = duty.sign_on(queue, drain, now_ms=self.now, worker="w", host="h", pid=1)
        scripts.run_now(self.client, made)
        # As another worker whose drain is there already would: its place among the drains is what counts.
        self.client.zadd(keys.key("DRAINS"), {drain: self.now + 10**9})
        self.flying[drain] = []
        return drain

    def _turn(self, queue: str, drain: str, results: list[Result], most: int) -> Turn:
        made = store.turn(self.book, queue, drain, results, now_ms=self.now, most=most)
        return scripts.run_now(self.client, made)

    def _take(self, drain: str, turn: Turn) -> None:
        for work in turn.work:
            mine = self.open[work.ref]
            if mine.key:
                self._check_turn(work.ref, mine)
            self.flying[drain].append(work)

    def _check_turn(self, ref: str, mine: Delivery) -> None:
        for flying in self.in_hand():
            assert self.open[flying].key != mine.key, f"{ref} and {flying} are in flight together"
        for name, other in self.open.items():
            earlier = (other.replay, other.number) < (mine.replay, mine.number)
            if other.key == mine.key and other.replay == mine.replay and earlier:
                assert other.out_of_line or mine.out_of_line, f"{ref} went before {name}"

    def settle(self, how: str) -> None:
        """The oldest attempt in flight ends."""
        for drain, works in self.flying.items():
            if works:
                return self._settle(drain, works.pop(0), how)
        return None

    def _settle(self, drain: str, work: Work, how: str) -> None:
        if how == "given back":
            result = work.give_back
        else:
            status = LETTERS[how]
            record = Record(status=status, attempts=work.before.attempts + 1, base=work.before.base)
            letter = records.OVERTAKEN if how == "overtaken" else records.LETTERS[status]
            packed = records.pack_record(record)
            result = Result(work.ref, work.before.attempts + 1, letter, packed, self.now + 500)
        assert self._turn(drain.split("-")[1], drain, [result], 0).refused == ()
        if how in ("delivered", "dropped", "dead"):
            ended = self.open.pop(work.ref)
            if how == "dead":
                self.dead[work.ref] = ended
        elif how == "overtaken":
            self.open[work.ref].out_of_line = True

    def crash(self) -> None:
        """The drain that has had something in hand for longest dies."""
        for drain, works in self.flying.items():
            if works:
                scripts.run_now(self.client, duty.reap(drain, now_ms=self.now))
                self._third_crash()
                works.clear()
                return

    def _third_crash(self) -> None:
        for ref in cast("list[bytes]", self.client.zrange(keys.key("DEAD", 1), 0, -1)):
            if ref.decode() in self.open:
                self.dead[ref.decode()] = self.open.pop(ref.decode())

    def redrive(self) -> None:
        for ref in list(self.dead):
            assert scripts.run_now(self.client, upkeep.redrive([ref], now_ms=self.now))[0] == 1
            back = self.dead.pop(ref)
            back.out_of_line = True
            self.open[ref] = back

    def purge(self) -> None:
        """All that is stored of the oldest message that is open, whatever it does at the moment."""
        doomed = min((one.number for one in self.open.values()), default=0)
        if doomed:
            scripts.run_now(self.client, purges.step("1", [(doomed, ())], now_ms=self.now))
            del self.keys[doomed]
            for ref in [ref for ref in self.open if ref.startswith(f"{doomed}:")]:
                del self.open[ref]
                for works in self.flying.values():
                    works[:] = [work for work in works if work.ref != ref]
            self.dead = {ref: one for ref, one in self.dead.items() if one.number != doomed}

    def later(self, ms: int) -> None:
        self.now += ms

    def finish(self) -> None:
        """Work everything that is open to its end; then no trace of the order is left but of dead letters."""
        for _ in range(500):
            if not self.open:
                break
            self.later(1_000)
            while any(self.flying.values()):
                self.settle("delivered")
            self.claim(100)
            self.claim_suspects()
        while any(self.flying.values()):
            self.settle("delivered")
        left = (keys.key("BACKLOG", 1), keys.key("REPLAYING", 1), keys.key("SUSPECTS"))
        for _ in range(200):  # what was purged is dropped, one of a key at a time
            if not self.client.exists(*left):
                break
            self.claim(100)
            self.claim_suspects()
        assert not self.open, f"lost: {list(self.open)}"
        for family in ("ORDER", "PARKED", "BACKLOG", "REPLAYING", "RUNNING"):
            assert not self.client.exists(keys.key(family, 1)), family
        turns = {ref.decode() for ref in cast("list[bytes]", self.client.hkeys(keys.key("TURNS", 1)))}
        assert turns == {ref for ref, one in self.dead.items() if one.key}
        owed = cast("list[bytes]", self.client.hvals(keys.key("OWED")))
        assert sum(map(int, owed)) == len(self.dead)
