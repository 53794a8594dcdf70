"""The walk of a replay through the store: it finds what is kept, and comes to its end past what is not."""

import asyncio

import redis

from receiver.core import keys, replays, scripts, store, upkeep
from receiver.core.clients import connect
from receiver.core.clock import SYSTEM
from receiver.core.queue import Jobs
from receiver.core.replays import Plan, Progress
from receiver.core.selection import Selection
from receiver.core.settings import Settings
from tests.support.stored import config, message, route
from workers.replay import PAGE, Replay
from workers.setup import Setup


def walked(url: str, client: "redis.Redis", plan: Plan, last: int) -> Progress:
    """Order it, walk it to its end in this process, and say how it stands."""
    conf = config(route("a"))
    setup = Setup(settings=Settings(), config=conf, url=url, jobs=Jobs(url))
    replay = replays.create(client, plan, first=1, last=last, now_ms=SYSTEM.now_ms())
    asyncio.run(Replay(replay, "owner", setup).run())
    found = replays.progress(client, replay)
    assert found is not None
    return found


def stored_then_trimmed(client: "redis.Redis", count: int, trimmed: int) -> None:
    """`count` messages that no route took, of which the first are forgotten."""
    published = store.publish(config(route("a")), now_ms=SYSTEM.now_ms(), serving="again")
    book = scripts.run_now(client, published)
    made = store.accept([message() for _ in range(count)], book, now_ms=1, window_ms=1000)
    scripts.run_now(client, made)
    trim = upkeep.trim(before_ms=2, max_bytes=0, pressure=False, budget=trimmed)
    assert scripts.run_now(client, trim).deleted == trimmed


def test_named_messages_behind_a_page_of_forgotten_ones_are_found(redis_url: str) -> None:
    client = connect(redis_url)
    stored_then_trimmed(client, PAGE + 10, PAGE + 5)
    named = Selection(numbers=tuple(range(1, PAGE + 11)))
    found = walked(redis_url, client, Plan(selection=named, routes=("a",), rate=1000.0), PAGE + 10)
    assert (found.state, found.deliveries) == ("done", 5)
    assert client.llen(keys.key("REPLAYING", 1)) == 5
    client.close()


def test_a_range_with_forgotten_ones_comes_to_its_end(redis_url: str) -> None:
    client = connect(redis_url)
    stored_then_trimmed(client, 10, 10)
    found = walked(redis_url, client, Plan(selection=Selection(), routes=("a",), rate=1000.0), 10)
    assert (found.state, found.deliveries) == ("done", 0)
    client.close()
