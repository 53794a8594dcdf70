"""The connection of a drain's turns, when all goes well and when it does not."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import redis
from redis import exceptions

from receiver.core.clients import connect
from receiver.core.wire import Wire
from tests.support.valkey import ValkeyServer

ECHO = "return ARGV[1]"


@pytest.fixture
def client(redis_url: str) -> "redis.Redis":
    return connect(redis_url)


def with_wire(url: str, story: Callable[[Wire], Coroutine[Any, Any, None]], *, answer_s: float = 3.0) -> None:
    async def main() -> None:
        wire = Wire(url, answer_s=answer_s)
        try:
            await story(wire)
        finally:
            await wire.aclose()

    asyncio.run(main())


def test_a_script_is_called_by_its_text_and_by_its_digest(redis_url: str, client: "redis.Redis") -> None:
    digest = client.script_load(ECHO)

    async def story(wire: Wire) -> None:
        assert await wire.eval(ECHO, 0, b"\xff\r\n1") == b"\xff\r\n1"
        assert await wire.evalsha(str(digest), 0, "2") == b"2"

    with_wire(redis_url, story)


def test_an_error_is_an_answer_and_the_connection_stays(redis_url: str, client: "redis.Redis") -> None:
    async def story(wire: Wire) -> None:
        with pytest.raises(exceptions.NoScriptError):
            await wire.evalsha("0" * 40, 0)
        before = len(client.client_list())
        assert await wire.eval(ECHO, 0, "1") == b"1"
        assert len(client.client_list()) == before

    with_wire(redis_url, story)


def test_an_answer_that_came_too_late_is_not_taken_for_the_next_one(
    redis_url: str, client: "redis.Redis"
) -> None:
    async def story(wire: Wire) -> None:
        assert await wire.eval(ECHO, 0, "1") == b"1"
        client.client_pause(150)
        with pytest.raises(TimeoutError):
            await wire.eval(ECHO, 0, "2")
        client.client_unpause()
        assert await wire.eval(ECHO, 0, "3") == b"3"

    with_wire(redis_url, story, answer_s=0.05)


def test_a_server_that_comes_back_is_found_again(tmp_path: Path) -> None:
    server = ValkeyServer(tmp_path).start()

    async def story(wire: Wire) -> None:
        assert await wire.eval(ECHO, 0, "1") == b"1"
        server.kill()
        for _ in range(2):
            with pytest.raises((exceptions.ConnectionError, OSError)):
                await wire.eval(ECHO, 0, "2")
        server.start()
        assert await wire.eval(ECHO, 0, "3") == b"3"

    try:
        with_wire(server.url, story)
    finally:
        server.stop()
