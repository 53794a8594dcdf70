"""A rate that is shared: what several takers get in all, told by Redis' own clock."""

import asyncio

import pytest

from receiver.core import keys, scripts, shared_rate
from receiver.core.clients import connect, connect_async
from receiver.core.errors import Unavailable
from receiver.core.shared_rate import SharedRate


def taken(url: str, *counts: int, per_second: float = 10.0, patience_s: float = 60.0) -> list[float]:
    with connect(url) as client:
        return [
            scripts.run_now(
                client, shared_rate.take("space:s", per_second, count, burst_s=0.2, patience_s=patience_s)
            )
            for count in counts
        ]


def test_a_burst_goes_at_once_and_the_others_queue_up(redis_url: str) -> None:
    waits = taken(redis_url, *[1] * 6)
    assert waits[:3] == [0.0, 0.0, pytest.approx(0.0, abs=0.02)]
    assert waits[3:] == [pytest.approx(at, abs=0.05) for at in (0.1, 0.2, 0.3)]


def test_many_at_once_make_the_next_wait_for_all_of_them(redis_url: str) -> None:
    assert taken(redis_url, 50, 1) == [0.0, pytest.approx(4.8, abs=0.05)]


def test_who_has_no_patience_takes_nothing(redis_url: str) -> None:
    waits = taken(redis_url, 22, 1, 1, patience_s=1.0)
    assert waits[1:] == [pytest.approx(2.0, abs=0.05)] * 2


def test_what_is_not_used_is_forgotten(redis_url: str) -> None:
    taken(redis_url, 5)
    with connect(redis_url) as client:
        left_ms = client.pttl(keys.key("RATE", "space", "s"))
    assert 1_000 <= left_ms <= 2_000


def test_takers_share_one_rate_and_other_names_have_their_own(redis_url: str) -> None:
    async def main() -> None:
        rates = [SharedRate(connect_async(redis_url, connections=2)) for _ in range(3)]
        waits = await asyncio.gather(*(rates[at % 3].take("space:s", 100.0) for at in range(60)))
        assert max(waits) == pytest.approx(0.5, abs=0.1)
        assert len({round(wait, 3) for wait in waits if wait > 0.05}) >= 40
        assert await rates[0].take("space:other", 100.0) == 0.0
        for rate in rates:
            await rate.close()

    asyncio.run(main())


def test_without_redis_nobody_goes() -> None:
    async def main() -> None:
        rate = SharedRate(connect_async("redis://127.0.0.1:9"))
        with pytest.raises(Unavailable):
            await rate.take("space:s", 100.0)
        await rate.close()

    asyncio.run(main())
