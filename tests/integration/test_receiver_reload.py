"""A receiver takes up another routes.yaml while it serves: each request by one of them, wholly."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp

from receiver import reloading
from receiver.app import App
from receiver.core import keys
from receiver.core.clients import connect
from receiver.core.reading import Store
from receiver.core.routes_file import loaded
from receiver.core.settings import Secret, Settings
from receiver.opening import build
from tests.support.http_side import ADMIN_TOKEN, exchange
from tests.support.sender import Answer

FIRST = """
sources:
  shop: {verify: {scheme: none}}
routes:
  first: {steps: [handler: "a:b"]}
"""
SECOND = FIRST.replace("shop", "store").replace("first", "second")
UNTIL_S = 10.0


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reloading, "LOOK_S", 0.01)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "routes.yaml"
    path.write_text(FIRST)
    return path


def say(path: Path, text: str) -> None:
    path.write_text(text)


@asynccontextmanager
async def serving(path: Path, url: str) -> AsyncIterator[App]:
    settings = Settings(
        routes=path, redis_url=Secret(url), durability="relaxed", admin_token=Secret(ADMIN_TOKEN)
    )
    app = build(settings, {}, loaded(path, {}))
    async with app.router.lifespan_context(app):
        yield app


async def post(app: ASGIApp, source: str, events: list[dict[str, Any]] | None = None) -> Answer:
    body = b'{"type":"track","event":"E","userId":"u"}'
    given = [{"type": "http.request", "body": body, "more_body": False}]
    return await exchange(app, "POST", f"/hooks/{source}", {}, events or given)


async def until_status(app: ASGIApp, source: str, status: int) -> None:
    async with asyncio.timeout(UNTIL_S):
        while (await post(app, source)).status != status:
            await asyncio.sleep(0.005)


async def page(app: ASGIApp, path: str) -> Answer:
    return await exchange(app, "GET", path, {"authorization": f"Bearer {ADMIN_TOKEN}"}, [])


def test_paths_and_routes_change_while_it_runs(path: Path, redis_url: str) -> None:

    async def story() -> None:
        async with serving(path, redis_url) as app:
            assert (await post(app, "shop")).status == 200
            say(path, SECOND)
            await until_status(app, "store", 200)
            assert (await post(app, "shop")).status == 404
            version = loaded(path, {}).config.version
            assert (
                f'hookyard_config_info{{version="{version}"}} 1.0'.encode()
                in (await page(app, "/metrics")).body
            )

    asyncio.run(story())
    store = Store.open(redis_url)
    assert [message.routes for message in store.messages([1, 2])] == [("first",), ("second",)]
    store.close()


def test_what_is_not_valid_is_told_and_changes_nothing(path: Path, redis_url: str) -> None:

    async def story() -> None:
        async with serving(path, redis_url) as app:
            say(path, SECOND.replace("steps", "stepz"))
            async with asyncio.timeout(UNTIL_S):
                while (await page(app, "/readyz")).json()["checks"]["routes.yaml"] == "ok":
                    await asyncio.sleep(0.005)
            answer = await page(app, "/readyz")
            assert (answer.status, answer.json()["success"]) == (200, True)
            assert f"{path}:5: routes.second" in answer.json()["checks"]["routes.yaml"]
            assert b"hookyard_config_refused 1.0" in (await page(app, "/metrics")).body
            assert (await post(app, "shop")).status == 200
            say(path, FIRST)
            async with asyncio.timeout(UNTIL_S):
                while (await page(app, "/readyz")).json()["checks"]["routes.yaml"] != "ok":
                    await asyncio.sleep(0.005)

    asyncio.run(story())


def test_a_signal_has_it_read_at_once(path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reloading, "LOOK_S", 3600.0)

    async def story() -> None:
        async with serving(path, redis_url) as app:
            say(path, SECOND)
            os.kill(os.getpid(), signal.SIGHUP)
            await until_status(app, "store", 200)

    asyncio.run(story())


def test_a_request_in_progress_ends_by_the_config_it_began_with(path: Path, redis_url: str) -> None:
    """Its source is gone by then, and its route too: it was let in, so it is kept."""

    async def story() -> None:
        async with serving(path, redis_url) as app:
            begun, more = asyncio.Event(), asyncio.Event()
            sent: list[Any] = []

            async def receive() -> dict[str, Any]:
                begun.set()
                await more.wait()
                return {"type": "http.request", "body": b'{"type":"page","userId":"u"}', "more_body": False}

            async def send(event: Any) -> None:
                sent.append(event)

            scope = {"type": "http", "path": "/hooks/shop", "method": "POST", "headers": []}
            request = asyncio.create_task(app(scope, receive, send))
            await begun.wait()
            say(path, SECOND)
            await until_status(app, "store", 200)
            more.set()
            await request
            assert sent[0]["status"] == 200

    asyncio.run(story())
    with connect(redis_url) as redis:
        assert redis.hgetall(keys.key("ROUTES")) == {b"first": b"1", b"second": b"2"}
        assert redis.llen(keys.key("BACKLOG", 1)) == 1
