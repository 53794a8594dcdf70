"""Judging real servers: what a 200 is worth on each."""

import asyncio

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from receiver.core.durability import NEEDED, Verdict, judge, judge_now, verdict
from tests.support.valkey import DURABLE, MakeServer, ValkeyServer


def judged(server: ValkeyServer) -> Verdict:
    with server.client() as redis:
        return judge_now(redis)


def test_a_durable_server_is_enough(valkey_server: MakeServer) -> None:
    found = judged(valkey_server(**DURABLE))
    assert found.durable
    assert found.sentences() == []
    assert found.enough_for("fsync")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("appendonly", "no"),
        ("appendfsync", "everysec"),
        ("no-appendfsync-on-rewrite", "yes"),
        ("maxmemory-policy", "allkeys-lru"),
    ],
)
def test_each_weak_setting_is_named_with_the_line_to_change(
    valkey_server: MakeServer, setting: str, value: str
) -> None:
    found = judged(valkey_server(**(DURABLE | {setting.replace("-", "_"): value})))
    assert [(weak.setting, weak.value) for weak in found.weaknesses] == [(setting, value)]
    assert f"`{setting} {NEEDED[setting][0]}`" in found.sentences()[0]
    assert not found.enough_for("fsync")
    assert found.enough_for("relaxed")


def test_settings_that_may_not_be_read_are_unknown(valkey_server: MakeServer) -> None:
    server = valkey_server(**DURABLE)
    with server.client() as redis:
        redis.acl_setuser(
            "app", enabled=True, passwords=["+p"], categories=["+@all"], commands=["-config"], keys="*"
        )
    with Redis.from_url(server.url, username="app", password="p") as redis:
        found = judge_now(redis)
    assert found.weaknesses == ()
    assert found.unknown == ("appendfsync", "no-appendfsync-on-rewrite")
    assert not found.durable
    assert "appendfsync" in found.sentences()[0]


def test_a_weak_setting_shows_without_config_too(valkey_server: MakeServer) -> None:
    server = valkey_server(maxmemory_policy="volatile-lru")
    with server.client() as redis:
        info = redis.info()
    found = verdict(info, None)
    assert [weak.setting for weak in found.weaknesses] == ["appendonly", "maxmemory-policy"]


def test_memory_is_a_share_of_the_limit(valkey_server: MakeServer) -> None:
    found = judged(valkey_server(maxmemory="1gb"))
    assert 0 < found.memory_share < 0.5
    assert not found.full
    assert judged(valkey_server(maxmemory=str(found.memory_used))).full
    assert judged(valkey_server()).memory_share == 0.0


def test_both_twins_say_the_same(redis_url: str) -> None:
    async def asked() -> Verdict:
        async with AsyncRedis.from_url(redis_url) as redis:
            return await judge(redis)

    with Redis.from_url(redis_url) as redis:
        twin = judge_now(redis)
    found = asyncio.run(asked())
    assert found.weaknesses == twin.weaknesses
    assert found.unknown == twin.unknown == ()


def test_a_failed_write_is_not_durable() -> None:
    config = {name: needed for name, (needed, _) in NEEDED.items()}
    assert verdict({}, config).durable
    assert not verdict({"aof_last_write_status": "err"}, config).durable
