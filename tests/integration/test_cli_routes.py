"""`hookyard routes` and `hookyard doctor` on what holds a route back."""

import pytest

from receiver.cli.main import run
from receiver.core import keys
from receiver.core.clock import SYSTEM
from tests.support.yard import ORDER, Screen, Yard, lines

REASON = "5 of 5 attempts failed, the last with connect"


def shut(yard: Yard, state: str, *, limit: int = 1, trips: int = 1) -> None:
    """The breaker of the route `orders`, as if its destination had failed two minutes ago."""
    number, now_ms = yard.store.route_numbers()["orders"], SYSTEM.now_ms()
    breaker, route = keys.key("BREAKER", number), keys.key("ROUTE", number)
    yard.redis.hset(breaker, mapping={"state": state, "reason": REASON})
    yard.redis.hset(breaker, mapping={"since": now_ms - 120_000, "trips": trips})
    yard.redis.hset(route, mapping={"limit": limit, "rests": now_ms + 30_400})


@pytest.mark.parametrize(
    ("state", "limit", "trips", "told"),
    [
        ("open", 1, 1, "Its deliveries are held; one of them probes in 30 s."),
        ("open", 1, 3, "2 times it tried to go on, and failed. Its deliveries are held;"),
        ("probing", 1, 1, "One of its deliveries probes now."),
        ("releasing", 4, 1, "It works again, 4 deliveries at a time."),
    ],
)
def test_the_story_of_a_breaker_can_be_read(
    yard: Yard, screen: Screen, state: str, limit: int, trips: int, told: str
) -> None:
    yard.accept(ORDER)
    shut(yard, state, limit=limit, trips=trips)
    assert run(["routes"]) == 0
    shown = screen.readouterr().out
    assert f"orders: its circuit breaker opened 2m ago: {REASON}. " in shown
    assert told in shown
    assert all(len(line) <= 80 for line in shown.splitlines() if "circuit breaker" not in line)
    assert run(["routes", "--json"]) == 0
    about = next(line["breaker"] for line in lines(screen) if line["route"] == "orders")
    assert (about["state"], about["reason"], about["limit"]) == (state, REASON, limit)
    assert (about["probe_at"] is not None) == (state == "open")


def test_what_waits_behind_an_open_breaker_is_held_and_doctor_says_so(yard: Yard, screen: Screen) -> None:
    yard.accept(ORDER)
    shut(yard, "open")
    assert run(["message", "1"]) == 0
    assert "held" in screen.readouterr().out
    run(["doctor", "--json"])
    assert "route orders: circuit breaker open" in screen.readouterr().out


def test_resume_by_hand_probes_at_once(yard: Yard, screen: Screen) -> None:
    yard.accept(ORDER)
    shut(yard, "open")
    assert run(["routes", "resume", "orders"]) == 0
    assert screen.readouterr().out == "orders goes on.\n"
    yard.settle()
    (state,) = [state for state in yard.store.routes() if state.name == "orders"]
    assert (state.breaker.state, state.counts["delivered"]) == ("releasing", 1)


def test_what_waits_for_others_of_its_key_is_told_apart(yard: Yard, screen: Screen) -> None:
    number = yard.store.route_numbers()["orders"]
    yard.redis.zadd(keys.key("PARKED", number), {"key:000000000:000000000000001": 0})
    assert run(["routes"]) == 0
    assert "orders: one of those that wait must let others of the same ordering key go first." in (
        screen.readouterr().out
    )
    assert run(["routes", "--json"]) == 0
    assert next(line["parked"] for line in lines(screen) if line["route"] == "orders") == 1


def test_a_route_with_nothing_to_do_has_no_oldest_message(yard: Yard, screen: Screen) -> None:
    assert run(["routes"]) == 0
    row = next(line for line in screen.readouterr().out.splitlines() if line.startswith("crm"))
    assert row.split() == ["crm", "default", "on", "0", "0/20", "0"]


def test_what_waits_for_a_slow_rate_is_told(yard: Yard, screen: Screen) -> None:
    yard.accept(ORDER)
    number = yard.store.route_numbers()["orders"]
    yard.redis.hset(keys.key("ROUTE", number), "rests", SYSTEM.now_ms() + 1_830_000)
    assert run(["routes"]) == 0
    assert "orders: its rate_limit lets the next go in 30m." in screen.readouterr().out
