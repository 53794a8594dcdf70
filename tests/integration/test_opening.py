"""The store of the HTTP side ends when it is asked to, also in the middle of a look at Redis."""

import asyncio

import pytest
import redis.asyncio

from receiver import opening
from receiver.core.durability import Verdict, judge
from receiver.core.errors import Unavailable
from receiver.core.routes_file import parse
from receiver.core.settings import Durability, Settings
from tests.support.stored import message
from tests.support.valkey import MakeServer

ROUTES = "sources:\n  shop:\n    verify: {scheme: none}\nroutes: {}\n"


def test_it_ends_though_a_cancellation_is_swallowed(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """redis' asynchronous client does that: 1 of 25 stops in the middle of a look hung for ever."""
    looking = asyncio.Event()

    async def deaf(client: redis.asyncio.Redis) -> Verdict:
        looking.set()
        try:
            await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
        return await judge(client)

    config = parse(ROUTES, file="routes.yaml", environ={})
    store = opening.open_store(Settings(), config, redis_url)

    async def life() -> None:
        async with store.running():
            monkeypatch.setattr(opening, "judge", deaf)
            await looking.wait()

    async def main() -> None:
        living = asyncio.create_task(life())
        done, _ = await asyncio.wait([living], timeout=5)
        assert done == {living}, "it does not end"

    asyncio.run(main())


@pytest.mark.parametrize(("durability", "code"), [("fsync", "not_durable"), ("relaxed", "")])
def test_a_redis_that_forgets_gets_no_messages_unless_that_is_wanted(
    valkey_server: MakeServer, durability: Durability, code: str
) -> None:
    server = valkey_server(appendonly="no")
    config = parse(ROUTES, file="routes.yaml", environ={})
    store = opening.open_store(Settings(durability=durability), config, server.url)

    async def life() -> str:
        async with store.running():
            try:
                await store.committer.commit([message()])
            except Unavailable as error:
                return error.code
            return ""

    assert asyncio.run(life()) == code
