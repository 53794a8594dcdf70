"""A route's rate and circuit breaker in the store: what they hold back, when they let go, what they say."""

import pytest
import redis
from msgspec.structs import replace

from receiver.core import duty, keys, purges, records, scripts, store
from receiver.core.clients import connect
from receiver.core.message import Status
from receiver.core.store import BreakerChange, Result, Turn
from tests.integration.test_store import NOW, Bench, result
from tests.support.stored import config, message, route

DRAIN = "drain-default-1"


@pytest.fixture
def client(redis_url: str) -> "redis.Redis":
    return connect(redis_url)


class Paced(Bench):
    """One route `a`, and a drain on duty."""

    def __init__(
        self,
        client: "redis.Redis",
        *,
        concurrency: int = 8,
        rate_limit: float | None = None,
        messages: int = 60,
    ) -> None:
        super().__init__(client, "a", concurrency=concurrency)
        made = config(route("a", concurrency=concurrency, rate_limit=rate_limit))
        scripts.run_now(client, store.publish(made, now_ms=NOW, serving="anew"))
        self.sign_on()
        self.accept(*(message("a") for _ in range(messages)))
        self.now = NOW

    def turn(self, *results: Result, most: int = 100) -> Turn:
        self.redis.zadd(keys.key("DRAINS"), {DRAIN: self.now + 1_000_000})
        made = store.turn(self.book, "default", DRAIN, results, now_ms=self.now, most=most)
        return scripts.run_now(self.redis, made)

    def fail(self, *, code: str = "connect", most: int = 100) -> Turn:
        """Everything that can be claimed fails, for ever later."""
        return self.end(self.turn(most=most), code)

    def end(self, turn: Turn, code: str = "") -> Turn:
        """What was claimed comes to its end: by a failure of the destination where there is a `code`."""
        return self.turn(*(self._ended(work, code) for work in turn.work), most=0)

    def _ended(self, work: store.Work, code: str) -> Result:
        if not code:
            return result(work, Status.DELIVERED)
        failed = result(work, Status.WAITING, due_ms=NOW + 10**9, code=code)
        return Result(failed.ref, failed.attempt, failed.letter, failed.record, failed.due_ms, failure=code)


def test_a_rate_lets_a_tenth_of_a_second_go_at_once_and_says_when_the_next_may(client: "redis.Redis") -> None:
    paced = Paced(client, concurrency=100, rate_limit=50.0)
    first = paced.turn()
    assert len(first.work) == 5
    assert 0 < first.rest_ms <= 20
    assert (first.more, first.full) == (False, frozenset())
    assert paced.turn().work == ()
    paced.now += first.rest_ms
    assert len(paced.turn().work) <= 1, "by the server's clock hardly any time has passed"


def test_a_slow_rate_gives_one_and_the_sweeper_knows_when_the_next_is_due(client: "redis.Redis") -> None:
    paced = Paced(client, rate_limit=10 / 3600)
    assert len(paced.turn().work) == 1
    waiting = paced.turn()
    assert waiting.work == ()
    assert 359_000 < waiting.rest_ms <= 360_000
    assert client.zcard(keys.key("READY", "default")) == 0
    paced.now += waiting.rest_ms
    made = duty.sweep(["default"], [1], now_ms=paced.now, reaping=False)
    scripts.run_now(client, made)
    assert client.zcard(keys.key("READY", "default")) == 1


def test_a_route_that_lost_its_limit_goes_on_without(client: "redis.Redis") -> None:
    paced = Paced(client, concurrency=100, rate_limit=1.0)
    assert len(paced.turn().work) == 1
    without = config(route("a", concurrency=100))
    scripts.run_now(client, store.publish(without, now_ms=NOW, serving="anew"))
    paced.now += 1_000
    assert len(paced.turn().work) == 59


@pytest.mark.parametrize("rate_limit", [None, 50.0])
def test_who_rested_by_an_old_rate_goes_by_the_new_one_at_once(
    client: "redis.Redis", rate_limit: float | None
) -> None:
    paced = Paced(client, concurrency=100, rate_limit=1 / 3600)
    assert len(paced.turn().work) == 1
    faster = config(route("a", concurrency=100, rate_limit=rate_limit))
    scripts.run_now(client, store.publish(faster, now_ms=NOW, serving="anew"))
    assert paced.turn().work


def test_a_new_rate_does_not_end_the_rest_of_a_breaker(client: "redis.Redis") -> None:
    paced = Paced(client)
    paced.fail()
    paced.turn()
    faster = config(route("a", concurrency=8, rate_limit=50.0))
    scripts.run_now(client, store.publish(faster, now_ms=NOW, serving="anew"))
    assert paced.turn().work == ()


def test_what_is_dropped_takes_no_slot(client: "redis.Redis") -> None:
    paced = Paced(client, concurrency=1)
    scripts.run_now(client, purges.step("1", [(number, ()) for number in range(1, 60)], now_ms=NOW))
    turn = paced.turn()
    assert [work.ref for work in turn.work] == ["60:1:0"]
    assert (turn.more, turn.full) == (False, frozenset())


def test_one_call_drops_no_more_than_takes_a_few_milliseconds(client: "redis.Redis") -> None:
    paced = Paced(client, concurrency=1, messages=500)
    scripts.run_now(client, purges.step("1", [(number, ()) for number in range(1, 500)], now_ms=NOW))
    assert (paced.turn(), paced.turn()) == (
        Turn(work=(), more=True, rest_ms=-1),
        Turn(work=(), more=True, rest_ms=-1),
    )
    assert [work.ref for work in paced.turn().work] == ["500:1:0"]


def test_few_failures_or_less_than_half_of_the_attempts_open_nothing(client: "redis.Redis") -> None:
    paced = Paced(client, concurrency=20)
    paced.fail(most=4)
    assert client.hget(keys.key("BREAKER", 1), "state") == b"closed"
    assert client.pttl(keys.key("BREAKER", 1)) > 0, "it is forgotten when nothing fails any more"
    paced.end(paced.turn(most=9))
    assert paced.fail(most=4).breakers == ()
    assert len(paced.turn(most=20).work) == 20


def test_errors_of_handlers_open_nothing(client: "redis.Redis") -> None:
    paced = Paced(client, concurrency=20)
    turn = paced.turn(most=20)
    failed = [result(work, Status.WAITING, due_ms=NOW + 10**9, code="handler_error") for work in turn.work]
    paced.turn(*failed, most=0)
    assert not client.exists(keys.key("BREAKER", 1))


def test_it_opens_holds_probes_and_lets_go_in_steps(client: "redis.Redis") -> None:
    paced = Paced(client, concurrency=8)
    opened = paced.fail(code="http_503")
    reason = "8 of 8 attempts failed, the last with http_503"
    assert opened.breakers == (BreakerChange(1, "open", reason, 5_000, 1),)
    assert (paced.turn().work, paced.turn().rest_ms) == ((), 5_000)
    (delivery,) = paced.reader().deliveries(60)
    assert (delivery.status, delivery.error) == (Status.HELD, f"its circuit breaker is open: {reason}")
    assert delivery.attempts == 0
    assert paced.accept(message("a"), now_ms=paced.now).reserved == ()

    paced.now += 5_000
    probe = paced.turn()
    assert (len(probe.work), [change.state for change in probe.breakers]) == (1, ["probing"])
    assert paced.turn().work == (), "one probes"
    assert paced.end(probe, "http_503").breakers == (
        BreakerChange(1, "open", "1 of 1 attempts failed, the last with http_503", 10_000, 1),
    )
    paced.now += 9_999
    assert paced.turn().work == ()
    paced.now += 1
    steps = []
    for _ in range(4):
        turn = paced.turn()
        steps.append((len(turn.work), [change.state for change in paced.end(turn).breakers]))
    assert steps == [(1, ["releasing"]), (2, ["releasing"]), (4, ["closed"]), (8, [])]
    assert not client.exists(keys.key("BREAKER", 1))


def test_a_step_back_that_fails_by_half_opens_it_again(client: "redis.Redis") -> None:
    paced = Paced(client, concurrency=8)
    paced.fail()
    paced.now += 5_000
    paced.end(paced.turn())
    two = paced.turn()
    assert len(two.work) == 2
    mixed = [paced._ended(two.work[0], ""), paced._ended(two.work[1], "timeout")]
    (change,) = paced.turn(*mixed, most=0).breakers
    assert (change.state, change.reason) == ("open", "1 of 2 attempts failed, the last with timeout")


def test_a_probe_that_was_not_sent_makes_no_wait_longer(client: "redis.Redis") -> None:
    paced = Paced(client, concurrency=8)
    paced.fail()
    for _ in range(3):
        paced.now += 5_000
        (work,) = paced.turn().work
        down = paced._ended(work, "host_down")
        (change,) = paced.turn(replace(down, letter=records.HELD), most=0).breakers
        assert (change.state, change.probe_ms) == ("open", 5_000)
    (state,) = paced.reader().routes()
    assert state.breaker.reason == "8 of 8 attempts failed, the last with connect", "the first one"


def test_a_probe_whose_drain_died_is_not_waited_for_and_another_one_goes(client: "redis.Redis") -> None:
    paced = Paced(client, concurrency=8)
    paced.fail()
    paced.now += 5_000
    assert len(paced.turn().work) == 1
    scripts.run_now(client, duty.reap(DRAIN, now_ms=paced.now))
    paced.sign_on(now_ms=paced.now)
    assert len(paced.turn().work) == 1


def test_what_began_before_it_opened_says_nothing_about_the_probe(client: "redis.Redis") -> None:
    paced = Paced(client, concurrency=8)
    early, late = paced.turn(most=6), paced.turn(most=2)
    paced.end(early, "connect")
    paced.now += 5_000
    assert (paced.turn().work, paced.turn().full) == ((), frozenset({1}))
    assert paced.end(late, "timeout").breakers == ()
    assert len(paced.turn().work) == 1


def test_resuming_by_hand_probes_at_once(client: "redis.Redis") -> None:
    paced = Paced(client, concurrency=8)
    paced.fail()
    assert paced.turn().work == ()
    assert paced.reader().resume(1)
    assert len(paced.turn().work) == 1


def test_a_paused_route_stays_paused_when_its_breaker_would_probe(client: "redis.Redis") -> None:
    paced = Paced(client, concurrency=8)
    paced.fail()
    paced.reader().pause(1, "by hand")
    paced.now += 5_000
    assert paced.turn().work == ()
    assert client.zcard(keys.key("READY", "default")) == 0
    assert paced.reader().resume(1)
    assert len(paced.turn().work) == 1


def test_three_hundred_routes_are_all_served_in_turn(client: "redis.Redis") -> None:
    names = [f"r{number}" for number in range(300)]
    bench = Bench(client, *names)
    for _ in range(3):
        bench.accept(*(message(name) for name in names))
    bench.sign_on()
    seen: set[str] = set()
    for turn in range(4):
        seen |= {work.ref.split(":")[1] for work in bench.claim(most=200, now_ms=NOW + turn).work}
    assert len(seen) == 300


def test_live_deliveries_go_before_replayed_ones_of_their_route(client: "redis.Redis") -> None:
    bench = Bench(client, "a")
    bench.accept(*(message("a") for _ in range(3)))
    client.rpush(keys.key("REPLAYING", 1), "1:1:1", "2:1:1")
    client.hset(keys.key("REPLAY", 1), "state", "running")
    bench.accept(message("a"))
    bench.sign_on()
    assert [work.ref for work in bench.claim().work] == ["1:1:0", "2:1:0", "3:1:0", "4:1:0", "1:1:1", "2:1:1"]
