"""The scripts against a real server: what is accepted, claimed, settled, retried, reaped, trimmed."""

import random
from collections.abc import Sequence

import pytest
import redis

from receiver.core import duty, keys, records, scripts, store, upkeep
from receiver.core.clients import connect
from receiver.core.message import NewMessage, Status
from receiver.core.reading import Store
from receiver.core.records import Record
from receiver.core.store import Book, Result, Turn, Work
from tests.support.stored import config, message, route

NOW = 1_800_000_000_000
WINDOW = 86_400_000


class Bench:
    """A store with its routes published, and short words for what tests do with it."""

    def __init__(self, client: "redis.Redis", *routes_: str, concurrency: int = 20) -> None:
        self.redis = client
        self.config = config(*(route(name, concurrency=concurrency) for name in routes_))
        self.book: Book = scripts.run_now(client, store.publish(self.config, now_ms=NOW, serving="again"))

    def accept(self, *messages: NewMessage, now_ms: int = NOW) -> store.Acceptance:
        return scripts.run_now(self.redis, store.accept(messages, self.book, now_ms=now_ms, window_ms=WINDOW))

    def sign_on(self, drain: str = "drain-default-1", now_ms: int = NOW, queue: str = "default") -> bool:
        made = duty.sign_on(queue, drain, now_ms=now_ms, worker="w", host="h", pid=1)
        return scripts.run_now(self.redis, made).ok

    def claim(self, drain: str = "drain-default-1", most: int = 100, now_ms: int = NOW) -> Turn:
        return scripts.run_now(
            self.redis, store.turn(self.book, "default", drain, [], now_ms=now_ms, most=most)
        )

    def settle(self, results: Sequence[Result], drain: str = "drain-default-1", now_ms: int = NOW) -> Turn:
        return scripts.run_now(
            self.redis, store.turn(self.book, "default", drain, results, now_ms=now_ms, most=0)
        )

    def reader(self) -> Store:
        return Store.open(f"unix://{self.redis.connection_pool.connection_kwargs['path']}")


def result(work: Work, status: Status, *, due_ms: int = 0, code: str = "", blob: str = "") -> Result:
    attempts = work.before.attempts + 1
    record = Record(status=status, attempts=attempts, base=work.before.base, code=code, finished_ms=5)
    return Result(
        ref=work.ref,
        attempt=attempts,
        letter=records.LETTERS[status],
        record=records.pack_record(record),
        due_ms=due_ms,
        blob=blob,
    )


@pytest.fixture
def client(redis_url: str) -> "redis.Redis":
    return connect(redis_url)


def test_a_message_is_kept_byte_for_byte_matched_or_not(client: "redis.Redis") -> None:
    bench = Bench(client, "a")
    body = b'{"odd" : "\\ud83d", "n": 1e400}'
    accepted = bench.accept(message(body=body), message("a"))
    assert [answer.number for answer in accepted.messages] == [1, 2]
    reader = bench.reader()
    first, second = reader.message(1), reader.message(2)
    assert first is not None
    assert second is not None
    assert (first.body, first.routes, second.routes) == (body, (), ("a",))
    assert reader.deliveries(1) == []
    assert [delivery.status for delivery in reader.deliveries(2)] == [Status.QUEUED]


def test_a_repeat_is_counted_on_the_first_and_stores_nothing(client: "redis.Redis") -> None:
    bench = Bench(client, "a")
    bench.accept(message("a", message_id="x"), message("a", message_id="x"))
    again = bench.accept(message("a", message_id="x"))
    assert again.messages[0].repeat
    assert again.messages[0].number == 1
    stored = bench.reader().message(1)
    assert stored is not None
    assert stored.repeats == 2
    assert client.xlen(keys.key("LOG")) == 1
    assert client.llen(keys.key("BACKLOG", bench.book.numbers["a"])) == 1


def test_the_same_id_with_another_body_is_a_message_of_its_own(client: "redis.Redis") -> None:
    bench = Bench(client)
    first, other, other_again, first_again = (
        bench.accept(message(message_id="x", content=content)).messages[0]
        for content in (b"1111", b"2222", b"2222", b"1111")
    )
    assert (other.number, other.repeat, other.same_id_as) == (2, False, 1)
    assert (other_again.number, other_again.repeat) == (2, True)
    assert (first_again.number, first_again.repeat) == (1, True)
    assert first.number == 1
    assert bench.reader().find("x") == [1, 2]


def test_an_uncovered_element_never_makes_a_covered_message_a_repeat(client: "redis.Redis") -> None:
    bench = Bench(client)
    forged = bench.accept(message(message_id="x", covered=False)).messages[0]
    forged_again = bench.accept(message(message_id="x", covered=False)).messages[0]
    genuine = bench.accept(message(message_id="x")).messages[0]
    late = bench.accept(message(message_id="x", covered=False)).messages[0]
    assert (forged.repeat, forged_again.repeat, genuine.repeat, late.repeat) == (False, True, False, True)


def test_an_uncovered_copy_leaves_nothing_in_the_index(client: "redis.Redis") -> None:
    bench = Bench(client)
    bench.accept(message(message_id="x"))
    (slot,) = client.keys(keys.key("IDS", "*"))
    assert bench.accept(message(message_id="x", covered=False)).messages[0].repeat
    assert client.hlen(slot) == 1
    other = bench.accept(message(message_id="x", covered=False, content=b"2222")).messages[0]
    assert (other.number, other.repeat, other.same_id_as) == (2, False, 1)


def test_new_messages_repeats_and_others_of_the_same_id_in_one_call(client: "redis.Redis") -> None:
    bench = Bench(client)
    answers = bench.accept(
        message(message_id="x"),
        message(message_id="x"),
        message(message_id=""),
        message(message_id="x", content=b"2222"),
        message(message_id="x", content=b"2222"),
        message(message_id="y"),
    ).messages
    assert [(answer.number, answer.repeat, answer.same_id_as) for answer in answers] == [
        (1, False, None),
        (1, True, None),
        (2, False, None),
        (3, False, 1),
        (3, True, None),
        (4, False, None),
    ]


def test_a_repeat_outside_the_window_is_a_new_message(client: "redis.Redis") -> None:
    bench = Bench(client)
    for day in range(4):
        bench.accept(message(message_id=f"filler-{day}"), now_ms=NOW + day * WINDOW // 4)
    bench.accept(message(message_id="x"), now_ms=NOW + WINDOW)
    for step in range(1, 10):
        bench.accept(message(), now_ms=NOW + WINDOW + step * WINDOW // 4)
    assert not bench.accept(message(message_id="x"), now_ms=NOW + 4 * WINDOW).messages[0].repeat


def test_repeats_are_found_across_many_index_buckets(client: "redis.Redis") -> None:
    bench = Bench(client)
    ids = [f"id-{i}" for i in range(17_000)]
    for first in range(0, len(ids), 500):
        bench.accept(*(message(message_id=one) for one in ids[first : first + 500]))
    assert client.zcard(keys.key("BUCKETS")) == 2
    again = [bench.accept(message(message_id=one)).messages[0] for one in ids[::197]]
    assert all(answer.repeat for answer in again)
    assert [answer.number for answer in again] == list(range(1, 17_001, 197))


def test_messages_without_an_id_are_never_repeats(client: "redis.Redis") -> None:
    bench = Bench(client)
    answers = bench.accept(message(message_id=""), message(message_id="")).messages
    assert [answer.repeat for answer in answers] == [False, False]


def test_look_up_by_message_id_and_by_user(client: "redis.Redis") -> None:
    bench = Bench(client)
    for n in range(3):
        bench.accept(message(message_id=f"lk-{n}", users=("usr_1", f"anon-{n}")))
    reader = bench.reader()
    assert reader.find("lk-1") == [2]
    assert reader.find("lk-9") == []
    assert reader.numbers_of_user("usr_1") == [1, 2, 3]
    assert reader.numbers_of_user("anon-2") == [3]


def test_first_message_reserves_one_drain_and_wakes_the_queue(client: "redis.Redis") -> None:
    bench = Bench(client, "a", "b")
    reserved = bench.accept(message("a", "b")).reserved
    assert [item.queue for item in reserved] == ["default"]
    assert bench.accept(message("a")).reserved == ()
    assert client.llen(keys.key("WAKE", "default")) == 1
    later = bench.accept(
        message("a"), now_ms=NOW + 6_000
    ).reserved  # the reservation lapsed: nobody signed on
    assert [item.queue for item in later] == ["default"]
    assert later[0].drain != reserved[0].drain


def test_claim_respects_concurrency_and_shares_between_routes(client: "redis.Redis") -> None:
    bench = Bench(client, "a", "b", concurrency=3)
    bench.accept(*(message("a") for _ in range(10)), message("b"))
    assert bench.sign_on()
    claim = bench.claim(most=100)
    routes = [records.reference(work.ref).route for work in claim.work]
    a, b = bench.book.numbers["a"], bench.book.numbers["b"]
    assert (routes.count(a), routes.count(b), claim.more) == (3, 1, False)
    assert bench.claim().work == ()
    bench.settle([result(work, Status.DELIVERED) for work in claim.work])
    assert len(bench.claim().work) == 3


def test_a_small_claim_serves_every_ready_route(client: "redis.Redis") -> None:
    bench = Bench(client, *(f"r{n}" for n in range(5)))
    bench.accept(*(message("r0") for _ in range(50)), *(message(f"r{n}") for n in range(1, 5)))
    bench.sign_on()
    claim = bench.claim(most=10)
    assert {records.reference(work.ref).route for work in claim.work} == set(bench.book.numbers.values())
    assert len(claim.work) == 10
    assert claim.more


def test_delivered_leaves_nothing_owed(client: "redis.Redis") -> None:
    bench = Bench(client, "a")
    bench.accept(message("a"))
    bench.sign_on()
    (work,) = bench.claim().work
    assert work.body.startswith(b'{"type":"track"')
    assert [one.status for one in bench.reader().deliveries(1)] == [Status.RUNNING]
    assert bench.settle([result(work, Status.DELIVERED)]).refused == ()
    (delivery,) = bench.reader().deliveries(1)
    assert (delivery.status, delivery.attempts, delivery.code) == (Status.DELIVERED, 1, "ok")
    assert client.hlen(keys.key("OWED")) == 0
    assert client.exists(keys.key("LEASE", "drain-default-1"), keys.key("RUNNING", 1)) == 0


def test_a_retry_waits_and_comes_back_with_its_progress(client: "redis.Redis") -> None:
    bench = Bench(client, "a")
    bench.accept(message("a"))
    bench.sign_on()
    (work,) = bench.claim().work
    bench.settle(
        [result(work, Status.WAITING, due_ms=NOW + 1_000, code="http_500", blob='{"outputs":{"who":1}}')]
    )
    waiting = bench.claim()
    assert waiting.work == ()
    assert waiting.rest_ms == 1_000
    (delivery,) = bench.reader().deliveries(1)
    assert (delivery.status, delivery.due_ms) == (Status.WAITING, NOW + 1_000)
    (again,) = bench.claim(now_ms=NOW + 1_001).work
    assert again.before.attempts == 1
    assert records.unpack_progress(again.blob).outputs == {"who": 1}
    bench.settle([result(again, Status.DELIVERED)], now_ms=NOW + 1_002)
    assert client.hlen(keys.key("OWED")) == 0


def test_a_result_without_its_lease_is_refused(client: "redis.Redis") -> None:
    bench = Bench(client, "a")
    bench.accept(message("a"))
    bench.sign_on()
    (work,) = bench.claim().work
    scripts.run_now(client, duty.reap("drain-default-1", now_ms=NOW))
    assert bench.settle([result(work, Status.DELIVERED)]).refused == (work.ref,)
    assert client.hlen(keys.key("OWED")) == 1


def test_a_dead_letter_is_listed_and_redriven_with_a_new_round(client: "redis.Redis") -> None:
    bench = Bench(client, "a")
    bench.accept(message("a"))
    bench.sign_on()
    (work,) = bench.claim().work
    bench.settle([result(work, Status.DEAD, code="http_422", blob='{"outputs":{"who":1}}')])
    reader = bench.reader()
    (dead,) = reader.dead("a")
    assert (dead.status, dead.code) == (Status.DEAD, "http_422")
    assert client.hlen(keys.key("OWED")) == 1
    assert reader.redrive([dead, dead]) == 1
    assert reader.dead("a") == []
    (again,) = bench.claim().work
    assert (again.before.attempts, again.before.base) == (1, 1)
    assert records.unpack_progress(again.blob).outputs == {"who": 1}


def test_suspects_are_halved_until_the_poison_is_alone_and_the_third_crash_is_final(
    client: "redis.Redis",
) -> None:
    bench = Bench(client, "a")
    bench.accept(*(message("a") for _ in range(8)))
    bench.sign_on()
    assert len(bench.claim().work) == 8
    scripts.run_now(client, duty.reap("drain-default-1", now_ms=NOW))
    poison, clean, crashes = 5, set(), 0
    for turn in range(40):
        drain = f"drain-quarantine-{turn}"
        bench.sign_on(drain, queue="quarantine")
        claim = scripts.run_now(client, store.claim_suspects(bench.book, drain, now_ms=NOW))
        if not claim.work:
            break
        if any(work.ref.startswith(f"{poison}:") for work in claim.work):
            crashes += len(claim.work) == 1
        else:
            clean |= {work.ref for work in claim.work}
            bench.settle([result(work, Status.DELIVERED) for work in claim.work], drain)
        scripts.run_now(client, duty.reap(drain, now_ms=NOW))
    assert len(clean) == 7
    assert crashes == 3
    (dead,) = bench.reader().dead("a")
    assert (dead.message, dead.code) == (poison, "worker_crashed")


def test_given_back_work_counts_no_attempt_and_goes_to_the_front(client: "redis.Redis") -> None:
    bench = Bench(client, "a")
    bench.accept(message("a"), message("a"))
    bench.sign_on()
    (first,) = bench.claim(most=1).work
    bench.settle([first.give_back])
    claim = bench.claim()
    assert claim.work[0].ref == first.ref
    assert claim.work[0].before.attempts == 0


def test_a_late_drain_is_not_wanted_beside_one_on_duty(client: "redis.Redis") -> None:
    bench = Bench(client, "a")
    bench.accept(message("a"))
    assert bench.sign_on("drain-default-1")
    assert not bench.sign_on("drain-default-77")
    assert bench.sign_on("drain-default-77", now_ms=NOW + 11_000)  # the first fell silent


def test_hand_over_relieves_once_the_successor_signed_on(client: "redis.Redis") -> None:
    bench = Bench(client, "a")
    bench.accept(message("a"))
    bench.sign_on()
    successor = scripts.run_now(client, duty.hand_over("default", "drain-default-1", now_ms=NOW)).drain
    assert successor is not None
    leaving = store.turn(bench.book, "default", "drain-default-1", [], now_ms=NOW, most=1, leaving=True)
    claim = scripts.run_now(client, leaving)
    assert len(claim.work) == 1
    assert not claim.relieved
    assert bench.sign_on(successor)
    assert scripts.run_now(client, leaving).relieved


def test_sign_off_stays_while_there_is_work_or_nobody_else(client: "redis.Redis") -> None:
    bench = Bench(client, "a")
    bench.accept(message("a"))
    bench.sign_on()
    off = duty.sign_off("default", "drain-default-1", now_ms=NOW, stopping=False)
    assert not scripts.run_now(client, off).ok
    bench.settle([result(work, Status.DELIVERED) for work in bench.claim().work])
    bench.claim()
    assert not scripts.run_now(client, off).ok  # the last one stays
    stopping = scripts.run_now(client, duty.sign_off("default", "drain-default-1", now_ms=NOW, stopping=True))
    assert stopping.ok
    assert stopping.drain is None


def test_a_stopping_drain_reserves_a_successor_for_the_work_it_leaves(client: "redis.Redis") -> None:
    bench = Bench(client, "a")
    (reserved,) = bench.accept(message("a")).reserved
    bench.sign_on(reserved.drain)
    answer = scripts.run_now(client, duty.sign_off("default", reserved.drain, now_ms=NOW, stopping=True))
    assert answer.drain not in (None, reserved.drain)


def test_a_claim_of_large_bodies_is_cut(client: "redis.Redis") -> None:
    bench = Bench(client, "a")
    bench.accept(*(message("a", body=random.Random(n).randbytes(400_000)) for n in range(50)))
    bench.sign_on()
    claim = bench.claim()
    assert 0 < len(claim.work) < 30
    assert claim.more


def test_a_paused_route_holds_and_resumes(client: "redis.Redis") -> None:
    bench = Bench(client, "a")
    bench.accept(message("a"))
    bench.sign_on()
    reader = bench.reader()
    number = bench.book.numbers["a"]
    reader.pause(number, "by hand")
    assert bench.claim().work == ()
    bench.accept(message("a"))
    assert bench.claim().work == ()
    (held,) = reader.deliveries(2)
    assert (held.status, held.error) == (Status.HELD, "by hand")
    assert reader.resume(number)
    assert len(bench.claim().work) == 2


def test_sweep_moves_due_retries_and_frees_silent_drains(client: "redis.Redis") -> None:
    bench = Bench(client, "a")
    bench.accept(message("a"), message("a"))
    bench.sign_on()
    (work,) = bench.claim(most=1).work
    bench.settle([result(work, Status.WAITING, due_ms=NOW + 10)])
    assert len(bench.claim(most=1).work) == 1
    made = duty.sweep(["default"], [1], now_ms=NOW + 20_000, reaping=True)
    answer = scripts.run_now(client, made)
    assert answer.reaped == (("drain-default-1", 1),)
    assert {item.queue for item in answer.reserved} == {"default", "quarantine"}
    assert client.llen(keys.key("BACKLOG", 1)) == 1
    assert client.llen(keys.key("SUSPECTS")) == 1


def test_retention_forgets_what_owes_nothing_and_keeps_the_rest(client: "redis.Redis") -> None:
    bench = Bench(client, "a")
    bench.accept(message("a", message_id="old"), message(), message("a"))
    bench.sign_on()
    first, third = bench.claim().work
    bench.settle([result(first, Status.DELIVERED)])
    trim = upkeep.trim(before_ms=NOW + 1, max_bytes=0, pressure=False)
    assert scripts.run_now(client, trim).deleted == 2
    reader = bench.reader()
    assert [reader.message(n) is not None for n in (1, 2, 3)] == [False, False, True]
    assert client.hlen(keys.key("DELIVERIES", 0)) == 0
    bench.settle([result(third, Status.DELIVERED)])  # its last debt: the script that clears it deletes it
    assert reader.message(3) is None
    assert int(client.hget(keys.key("META"), "bytes") or 0) == 0


def test_retention_by_bytes_drops_index_buckets_too(client: "redis.Redis") -> None:
    bench = Bench(client)
    for turn in range(12):
        bench.accept(*(message(users=("u",)) for _ in range(200)), now_ms=NOW + turn * WINDOW // 8)
    buckets = client.zcard(keys.key("BUCKETS"))
    while scripts.run_now(client, upkeep.trim(before_ms=0, max_bytes=20_000, pressure=False)).more:
        pass
    assert int(client.hget(keys.key("META"), "bytes") or 0) <= 20_000
    for _ in range(20):
        scripts.run_now(client, upkeep.trim(before_ms=0, max_bytes=20_000, pressure=False))
    assert client.zcard(keys.key("BUCKETS")) < buckets


def test_a_store_that_was_emptied_is_noticed(client: "redis.Redis") -> None:
    bench = Bench(client, "a")
    client.flushall()
    assert bench.accept(message("a")).stale
    assert bench.claim().stale


def test_time_finds_numbers(client: "redis.Redis") -> None:
    bench = Bench(client)
    for at in (0, 10, 10, 500):
        bench.accept(message(), now_ms=NOW + at)
    reader = bench.reader()
    assert [reader.number_since(NOW + at) for at in (0, 1, 10, 11, 500, 501)] == [1, 2, 2, 4, 4, 5]
