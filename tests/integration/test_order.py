"""Ordering keys in the store: one delivery of a key in play at a time, in the order they arrived."""

from collections.abc import Callable
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from receiver.core import clearing, keys
from receiver.core.clearing import Order
from receiver.core.clients import connect
from receiver.core.json_text import members
from receiver.core.message import Status
from receiver.core.ordering import Ordering
from receiver.core.reading import Store
from tests.support.ordered import Schedule
from tests.support.stored import config, route

ENDS = ("delivered", "dropped", "dead", "waits", "overtaken", "given back")
ACTS: dict[str, Callable[[Schedule, Any], None]] = {
    "accept": lambda schedule, key: schedule.accept(key),
    "claim": lambda schedule, most: schedule.claim(most),
    "settle": lambda schedule, how: schedule.settle(how),
    "later": lambda schedule, ms: schedule.later(ms),
    "crash": lambda schedule, _: schedule.crash(),
    "suspects": lambda schedule, _: schedule.claim_suspects(),
    "redrive": lambda schedule, _: schedule.redrive(),
    "replay": lambda schedule, _: schedule.replay_all(),
    "purge": lambda schedule, _: schedule.purge(),
}
some_act = st.one_of(
    st.tuples(st.just("accept"), st.sampled_from(["ann", "bob", "ann", "bob", ""])),
    st.tuples(st.just("accept"), st.sampled_from(["ann", "bob"])),
    st.tuples(st.just("claim"), st.integers(1, 3)),
    st.tuples(st.just("settle"), st.sampled_from(ENDS)),
    st.tuples(st.just("later"), st.sampled_from([100, 600])),
    st.tuples(st.sampled_from(["crash", "suspects", "redrive", "replay", "purge"]), st.none()),
)


@pytest.fixture
def client(redis_url: str) -> "redis.Redis":
    return connect(redis_url)


@given(st.lists(some_act, min_size=10, max_size=60))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_schedule_keeps_order_loses_nothing_and_leaves_no_lock(
    client: "redis.Redis", acts: list[tuple[str, Any]]
) -> None:
    schedule = Schedule(client)
    for name, argument in acts:
        ACTS[name](schedule, argument)
    schedule.finish()


@pytest.mark.parametrize("crashes", [False, True])
def test_the_next_of_a_key_goes_on_when_what_was_at_work_is_purged(
    client: "redis.Redis", crashes: bool
) -> None:
    schedule = Schedule(client)
    for _ in range(3):
        schedule.accept("ann")
    schedule.claim(1)
    if crashes:
        schedule.crash()
    schedule.purge()
    schedule.finish()


def test_a_key_that_waits_for_a_retry_holds_only_itself(client: "redis.Redis") -> None:
    schedule = Schedule(client)
    for key in ("ann", "ann", "bob", "bob", ""):
        schedule.accept(key)
    schedule.claim(10)
    assert schedule.in_hand() == ["1:1:0", "3:1:0", "5:1:0"]
    schedule.settle("waits")
    schedule.settle("delivered")
    schedule.settle("delivered")
    (held,) = opened(client).deliveries(2)
    assert (held.status, held.error) == (Status.HELD, "msg_1 has the same ordering key and goes first")
    schedule.claim(10)
    assert schedule.in_hand() == ["4:1:0"]
    schedule.later(600)
    schedule.claim(10)
    assert schedule.in_hand() == ["4:1:0", "1:1:0"]
    schedule.finish()


def test_a_dead_letter_lets_its_key_go_on_and_takes_its_turn_when_it_is_redriven(
    client: "redis.Redis",
) -> None:
    schedule = Schedule(client)
    for _ in range(3):
        schedule.accept("ann")
    schedule.claim(10)
    schedule.settle("dead")
    schedule.claim(10)
    assert schedule.in_hand() == ["2:1:0"]
    schedule.redrive()
    schedule.claim(10)
    assert schedule.in_hand() == ["2:1:0"], "one of the key at a time"
    schedule.settle("delivered")
    schedule.claim(10)
    assert schedule.in_hand() == ["1:1:0"]
    schedule.finish()


def test_a_replay_waits_for_live_deliveries_of_its_key(client: "redis.Redis") -> None:
    schedule = Schedule(client)
    schedule.accept("ann")
    schedule.claim(1)
    schedule.settle("delivered")
    schedule.accept("ann")
    schedule.replay({1: "ann"})
    schedule.accept("ann")
    order = []
    for _ in range(3):
        schedule.claim(10)
        order += schedule.in_hand()
        schedule.settle("delivered")
    assert order == ["2:1:0", "3:1:0", "1:1:1"]
    schedule.finish()


def test_a_route_without_order_keeps_nothing_of_it(client: "redis.Redis") -> None:
    schedule = Schedule(client)
    schedule.accept("")
    schedule.claim(1)
    assert not client.exists(*(keys.key(family, 1) for family in ("ORDER", "TURNS", "PARKED")))
    schedule.finish()


def half_worked(client: "redis.Redis") -> Store:
    """Of one key the first waits for a retry, two are behind it; of another the first is dead, one behind."""
    schedule = Schedule(client)
    for key in ("ann", "bob", "ann", "ann", "bob"):
        schedule.accept(key)
    schedule.claim(10)
    schedule.settle("waits")
    schedule.settle("dead")
    return opened(client)


def opened(client: "redis.Redis") -> Store:
    return Store.open(f"unix://{client.connection_pool.connection_kwargs['path']}")


def test_dropping_what_waits_on_a_route_leaves_no_lock(client: "redis.Redis") -> None:
    store = half_worked(client)
    assert clearing.waiting(client, 1).clearable == 5
    assert sum(done.cleared for done in clearing.carry_out(store, Order(route=1))) == 5
    assert not client.exists(*(keys.key(family, 1) for family in ("ORDER", "TURNS", "PARKED", "BACKLOG")))
    assert client.hlen(keys.key("OWED")) == 0


def test_what_moves_to_another_route_keeps_its_order_there(client: "redis.Redis") -> None:
    store = half_worked(client)
    assert sum(done.cleared for done in clearing.carry_out(store, Order(route=1, to=2))) == 5
    assert not client.exists(*(keys.key(family, 1) for family in ("ORDER", "TURNS", "PARKED", "BACKLOG")))
    assert client.lrange(keys.key("BACKLOG", 2), 0, -1) == [b"1:2:0", b"5:2:0"]
    assert client.zcard(keys.key("PARKED", 2)) == 2
    assert client.hgetall(keys.key("ORDER", 2)) == {b"ann": b"1:2:0", b"bob": b"5:2:0"}
    assert client.hget(keys.key("TURNS", 2), "2:2:0") == b"bob", (
        "the dead letter takes its turn when redriven"
    )


@pytest.mark.parametrize(
    ("path", "body", "same"),
    [
        ("userId", b'{"userId": "5"}', b'{"userId": 5}'),
        (
            "properties.cart.id",
            b'{"properties":{"cart":{"id":"x"}}}',
            b'{"properties":{"cart":{"id":"x","n":1}}}',
        ),
    ],
)
def test_keys_are_texts_and_numbers_at_the_path(path: str, body: bytes, same: bytes) -> None:
    ordering = Ordering(config(route("a", order_by=tuple(path.split("."))), route("b")))
    ((name, key),) = ordering.keys(members(body), ("a", "b"))
    assert (name, len(key)) == ("a", 11)
    assert ordering.keys(members(same), ("a",)) == (("a", key),)


@pytest.mark.parametrize(
    "body", [b"{}", b'{"userId": null}', b'{"userId": ""}', b'{"userId": true}', b'{"userId": {"id": 1}}']
)
def test_what_is_no_id_orders_nothing(body: bytes) -> None:
    ordering = Ordering(config(route("a", order_by=("userId",))))
    assert ordering.keys(members(body), ("a",)) == ()
    assert (
        Ordering(config(route("a", order_by=("userId", "id")))).keys(members(b'{"userId": 1}'), ("a",)) == ()
    )


def test_lone_surrogates_and_numbers_beyond_floats_are_keys_too() -> None:
    ordering = Ordering(config(route("a", order_by=("userId",))))
    assert ordering.keys(members(b'{"userId": "\\ud83d"}'), ("a",))
    assert ordering.keys(members(b'{"userId": 123456789012345678901234567890}'), ("a",))


def test_one_who_was_purged_lets_all_of_its_key_go_first_in_one_call(client: "redis.Redis") -> None:
    schedule = Schedule(client)
    for _ in range(50):
        schedule.accept("ann")
    for _ in range(49):
        schedule.purge()
    schedule.claim(1)
    assert schedule.in_hand() == ["50:1:0"]
    schedule.finish()
