"""Token buckets: one second of burst, batches counted whole, debts paid."""

import pytest

from receiver.core.errors import RateLimited
from receiver.core.routes_file import parse
from receiver.rates import Bucket, Rates
from tests.support.time import FakeClock

ROUTES = """
sources:
  fast: {verify: {scheme: none}, rate_limit: 10/s}
  slow: {verify: {scheme: none}, rate_limit: 6/m}
  free: {verify: {scheme: none}}
"""


def rates(clock: FakeClock) -> Rates:
    return Rates(parse(ROUTES, file="routes.yaml", environ={}), clock)


def test_a_second_of_burst_then_the_rate() -> None:
    clock = FakeClock()
    made = rates(clock)
    for _ in range(10):
        made.admit({"fast": 1})
    with pytest.raises(RateLimited, match="source fast") as caught:
        made.admit({"fast": 1})
    assert (caught.value.status, caught.value.retry_after) == (429, 1)
    clock.forward(0.1)
    made.admit({"fast": 1})
    with pytest.raises(RateLimited):
        made.admit({"fast": 1})
    clock.forward(60)
    made.admit({"fast": 10})
    with pytest.raises(RateLimited):
        made.admit({"fast": 1})


def test_retry_after_says_when() -> None:
    made = rates(FakeClock())
    made.admit({"slow": 1})
    with pytest.raises(RateLimited) as caught:
        made.admit({"slow": 1})
    assert caught.value.retry_after == 10


def test_a_batch_larger_than_the_bucket_is_paid_off_after() -> None:
    clock = FakeClock()
    made = rates(clock)
    made.admit({"fast": 35})
    with pytest.raises(RateLimited) as caught:
        made.admit({"fast": 1})
    assert caught.value.retry_after == 3
    clock.forward(2.5)
    with pytest.raises(RateLimited):
        made.admit({"fast": 1})
    clock.forward(0.15)
    made.admit({"fast": 1})


def test_all_sources_of_a_call_or_none() -> None:
    made = rates(FakeClock())
    made.admit({"slow": 1})
    with pytest.raises(RateLimited):
        made.admit({"free": 5, "fast": 10, "slow": 1})
    made.admit({"fast": 10, "free": 100_000})


def test_a_slow_bucket_holds_one() -> None:
    bucket = Bucket(0.001, FakeClock())
    assert bucket.wait_s(1) == 0.0
    bucket.take(1)
    assert bucket.wait_s(1) == pytest.approx(1000)
