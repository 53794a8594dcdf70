"""The test server itself: other tests rest on what it promises."""

from redis import Redis

from tests.support.valkey import DURABLE, MakeServer, ValkeyServer


def test_each_test_starts_empty_1(redis: Redis) -> None:
    assert redis.dbsize() == 0
    redis.set("left", "behind")


def test_each_test_starts_empty_2(redis: Redis, redis_url: str) -> None:
    assert redis.dbsize() == 0
    redis.set("left", "behind")
    with Redis.from_url(redis_url) as other:
        assert other.get("left") == b"behind"


def test_a_killed_server_comes_back_with_its_data(valkey_server: MakeServer) -> None:
    server: ValkeyServer = valkey_server(**DURABLE)
    with server.client() as redis:
        redis.set("kept", "1")
    server.kill()
    assert not server.answers()
    server.start()
    with server.client() as redis:
        assert redis.get("kept") == b"1"
