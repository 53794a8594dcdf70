import asyncio
from typing import Any, cast

import pytest

from receiver.core.errors import StoreUnavailable
from receiver.core.shared_rate import SharedRate
from tests.support.time import FakeClock
from workers import pace
from workers.outcome import Dead, Done, Retry
from workers.pace import Pace


class Places:
    """A shared rate that answers as told, and notes what was asked."""

    def __init__(self, *waits: float | Exception) -> None:
        self.asked: list[tuple[str, float, int]] = []
        self._waits = list(waits)

    async def take(self, name: str, per_second: float, count: int, **_: Any) -> float:
        self.asked.append((name, per_second, count))
        answer = self._waits.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def a_pace(places: Places, clock: FakeClock, per_second: float | None = None) -> Pace:
    return Pace("connection:crm", per_second, cast(SharedRate, places), clock, limit="the rate_limit of crm")


def turn(one: Pace, count: int = 1) -> Retry | None:
    return asyncio.run(one.turn(count))


def test_without_a_limit_nobody_is_asked() -> None:
    places = Places()
    assert turn(a_pace(places, FakeClock()), 2_500) is None
    assert places.asked == []


def test_after_a_retry_after_the_whole_connection_waits() -> None:
    clock, places = FakeClock(), Places(0.0)
    one = a_pace(places, clock, 100.0)
    one.heed(Retry("http_429", "POST x answered 429", 30.0))
    clock.forward(10)
    waits = turn(one)
    told = "nothing was sent, for another request was told: POST x answered 429"
    assert waits == Retry("asked_to_wait", told, 20.0, held=True)
    assert places.asked == []  # what is not sent takes no place from others
    clock.forward(20)
    assert turn(one) is None


def test_a_shorter_wait_does_not_end_a_longer_one() -> None:
    clock = FakeClock()
    one = a_pace(Places(), clock)
    one.heed(Retry("http_429", "busy", 30.0))
    one.heed(Retry("http_503", "busy too", 1.0))
    clock.forward(2)
    waits = turn(one)
    assert waits is not None
    assert waits.after_s == 28.0


@pytest.mark.parametrize("outcome", [Retry("http_503", "busy"), Dead("http_400"), Done()])
def test_other_answers_hold_nobody(outcome: Any) -> None:
    one = a_pace(Places(), FakeClock())
    one.heed(outcome)
    assert turn(one) is None


def test_a_limited_connection_waits_for_its_turn() -> None:
    places = Places(0.001, 0.0)
    one = a_pace(places, FakeClock(), 500.0)
    assert turn(one, 40) is None
    assert turn(one) is None
    assert places.asked == [("connection:crm", 500.0, 40), ("connection:crm", 500.0, 1)]


def test_what_would_wait_too_long_comes_again() -> None:
    wait_s = pace.PATIENCE_S + 5
    outcome = turn(a_pace(Places(wait_s), FakeClock(), 5.0))
    assert outcome is not None
    assert (outcome.code, outcome.after_s) == ("rate_limited", wait_s)
    assert "crm, 5/s" in outcome.error


def test_without_redis_a_limited_connection_sends_nothing() -> None:
    outcome = turn(a_pace(Places(StoreUnavailable("gone")), FakeClock(), 5.0))
    assert outcome is not None
    assert outcome.code == "store_unavailable"
