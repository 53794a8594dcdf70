"""Group commit against a real server: what shares a call, what is answered, what happens when Redis fails."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import redis

from receiver import committer
from receiver.committer import Committer
from receiver.core import keys, scripts
from receiver.core.clients import connect, connect_async
from receiver.core.errors import Overloaded, StoreFull, StoreUnavailable
from receiver.core.message import Accepted
from receiver.core.queue import Jobs
from tests.support.stored import config, message, route
from tests.support.valkey import MakeServer

Story = Callable[[Committer], Awaitable[None]]


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Committer]:
    client = connect_async(url)
    jobs = Jobs(url)
    opened = Committer(client, jobs, config(route("a")), window_ms=86_400_000)
    try:
        yield opened
    finally:
        await opened.close()
        await client.aclose()
        jobs.close()


def tell(url: str, story: Story) -> None:
    """Run a story with a committer in a loop of its own."""

    async def run() -> None:
        async with _opened(url) as opened:
            await story(opened)

    asyncio.run(run())


@pytest.fixture
def client(redis_url: str) -> "redis.Redis":
    return connect(redis_url)


def calls(client: "redis.Redis") -> int:
    """Script calls the server has run since the last CONFIG RESETSTAT."""
    stats = client.info("commandstats")
    return sum(stats.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("eval", "evalsha"))


def numbers(accepted: list[Accepted]) -> list[int]:
    return [one.number for one in accepted]


def test_what_is_asked_for_in_one_turn_of_the_loop_shares_a_call(
    redis_url: str, client: "redis.Redis"
) -> None:
    async def story(committer: Committer) -> None:
        await committer.publish()
        await committer.commit([message("a")])
        client.config_resetstat()
        answers = await asyncio.gather(*(committer.commit([message("a"), message()]) for _ in range(20)))
        assert calls(client) == 1
        assert [numbers(one) for one in answers] == [[n, n + 1] for n in range(2, 42, 2)]

    tell(redis_url, story)


def test_a_large_request_is_shared_out_and_answered_in_its_order(
    redis_url: str, client: "redis.Redis"
) -> None:
    async def story(committer_: Committer) -> None:
        count = committer.GROUP * 3 + 1
        assert numbers(await committer_.commit([message() for _ in range(count)])) == list(
            range(1, count + 1)
        )
        assert client.xlen(keys.key("LOG")) == count
        assert await committer_.commit([]) == []

    tell(redis_url, story)


def test_repeats_are_told_to_whoever_sent_them(redis_url: str) -> None:
    async def story(committer: Committer) -> None:
        ids = [f"m-{index % 3}" for index in range(9)]
        answers = await asyncio.gather(*(committer.commit([message(message_id=one)]) for one in ids))
        assert [answer.number for (answer,) in answers] == [1, 2, 3] * 3
        assert [answer.repeat for (answer,) in answers] == [False] * 3 + [True] * 6

    tell(redis_url, story)


def test_more_than_may_wait_is_told_to_come_back(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committer, "WAITING", 3)

    async def story(committer: Committer) -> None:
        first = committer.commit([message(), message()])
        with pytest.raises(Overloaded):
            await committer.commit([message(), message()])
        assert numbers(await first) == [1, 2]
        assert numbers(await committer.commit([message(), message()])) == [3, 4]

    tell(redis_url, story)


def test_a_sender_that_leaves_costs_the_others_of_its_call_nothing(redis_url: str) -> None:
    async def story(committer: Committer) -> None:
        leaving, staying = (asyncio.ensure_future(committer.commit([message()])) for _ in range(2))
        leaving.cancel()
        assert numbers(await staying) == [2]

    tell(redis_url, story)


def test_a_store_that_was_emptied_is_served_again(redis_url: str, client: "redis.Redis") -> None:
    async def story(committer: Committer) -> None:
        await committer.commit([message("a")])
        client.flushall()
        client.script_flush()
        assert numbers(await committer.commit([message("a")])) == [1]
        assert client.llen(keys.key("BACKLOG", 1)) == 1

    tell(redis_url, story)


def test_connections_that_the_server_closed_are_opened_anew(redis_url: str, client: "redis.Redis") -> None:
    async def story(committer: Committer) -> None:
        await committer.commit([message()])
        client.client_kill_filter(_type="normal", skipme=True)
        await asyncio.sleep(0)
        assert numbers(await committer.commit([message()])) == [2]

    tell(redis_url, story)


def test_a_server_that_is_gone_and_back(valkey_server: MakeServer) -> None:
    server = valkey_server(appendonly="yes", appendfsync="always")

    async def story(committer: Committer) -> None:
        await committer.commit([message()])
        server.kill()
        answers = await asyncio.gather(
            *(committer.commit([message()]) for _ in range(3)), return_exceptions=True
        )
        assert [type(one) for one in answers] == [StoreUnavailable] * 3
        server.start()
        assert numbers(await committer.commit([message()])) == [2]

    tell(server.url, story)


def test_a_full_server_is_told_from_one_that_is_gone(valkey_server: MakeServer) -> None:
    server = valkey_server(maxmemory_policy="noeviction")

    async def story(committer: Committer) -> None:
        await committer.commit([message()])
        with server.client() as client:
            client.config_set("maxmemory", 1)
            with pytest.raises(StoreFull):
                await committer.commit([message()])
            client.config_set("maxmemory", 0)
        assert numbers(await committer.commit([message()])) == [2]

    tell(server.url, story)


def test_scripts_are_sent_whole_to_a_server_that_lost_them(redis_url: str, client: "redis.Redis") -> None:
    async def story(committer: Committer) -> None:
        await committer.commit([message()])
        client.script_flush()
        assert numbers(await committer.commit([message()])) == [2]
        assert client.script_exists(scripts.load("accept").sha) == [True]

    tell(redis_url, story)
