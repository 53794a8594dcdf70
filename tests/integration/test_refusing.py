"""A real store behind the receiver: its bound of open messages, and what it notes of refusals."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp

from receiver import opening
from receiver.app import Store, create_app
from receiver.cli.main import run
from receiver.core import keys, refusals, scripts
from receiver.core.clients import connect
from receiver.core.refusals import KEPT, Refusal
from receiver.core.routes_file import parse
from receiver.core.settings import Secret, Settings
from tests.support.http_side import ADMIN_TOKEN, exchange
from tests.support.sender import Answer
from tests.support.yard import Screen, Yard, lines, listed

ROUTES = """
sources:
  shop: {verify: {scheme: none}}
  strict: {verify: {scheme: none}, invalid: refuse}
routes:
  all: {steps: [handler: "a:b"]}
"""
GOOD = b'{"type":"track","event":"E","userId":"u","messageId":"%d"}'
UNTIL_S = 10.0


def made(url: str, **settings: Any) -> tuple[ASGIApp, Store]:
    config = parse(ROUTES, file="routes.yaml", environ={})
    chosen = Settings(admin_token=Secret(ADMIN_TOKEN), durability="relaxed", **settings)
    store = opening.open_store(chosen, config, url)
    return create_app(chosen, config, store), store


async def post(app: ASGIApp, body: bytes, source: str = "shop") -> Answer:
    event = {"type": "http.request", "body": body, "more_body": False}
    return await exchange(app, "POST", f"/hooks/{source}", {}, [event])


async def ready(app: ASGIApp) -> Answer:
    return await exchange(app, "GET", "/readyz", {"authorization": f"Bearer {ADMIN_TOKEN}"}, [])


async def until(app: ASGIApp, status: int) -> Answer:
    async with asyncio.timeout(UNTIL_S):
        while (answer := await ready(app)).status != status:
            await asyncio.sleep(0.01)
    return answer


def test_too_many_open_messages_are_503_until_they_are_fewer(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "WATCH_S", 0.02)
    app, store = made(redis_url, max_open=2)

    async def main() -> None:
        async with store.running():
            for number in range(2):
                assert (await post(app, GOOD % number)).status == 200
            full = await until(app, 503)
            assert "HOOKYARD_MAX_OPEN" in full.json()["checks"]["not full"]
            refused = await post(app, GOOD % 3)
            assert (refused.status, refused.code) == (503, "overloaded")
            assert int(refused.headers["retry-after"]) >= 1
            with connect(redis_url) as client:
                assert client.hlen(keys.key("OWED")) == 2
                client.hdel(keys.key("OWED"), "1")
            await until(app, 200)
            assert (await post(app, GOOD % 3)).status == 200

    asyncio.run(main())


def test_what_is_refused_is_written_down_at_the_latest_at_the_end(redis_url: str) -> None:
    app, store = made(redis_url)

    async def main() -> None:
        async with store.running():
            assert (await post(app, b'[{"type":"group","userId":"u"}]', "strict")).code == "id_required"

    asyncio.run(main())
    with connect(redis_url) as client:
        (found,) = refusals.recent(client)
    assert (found.source, found.code, found.sample) == (
        "strict",
        "id_required",
        '{"type":"group","userId":"u"}',
    )


def noted(number: int, sample: str = "{}") -> Refusal:
    return Refusal(at_ms=number, source="shop", code="too_deep", count=number, size=1500, sample=sample)


def test_the_list_is_bounded_and_the_newest_stands_first(yard: Yard, screen: Screen) -> None:
    for first in range(0, KEPT + 50, 50):
        scripts.run_now(yard.redis, refusals.record([noted(number) for number in range(first, first + 50)]))
    assert run(["refused", "--json"]) == 0
    assert [one["count"] for one in lines(screen)] == list(range(KEPT + 49, 49, -1))


def test_samples_cannot_do_anything_to_a_terminal(yard: Yard, screen: Screen) -> None:
    assert run(["refused"]) == 0
    assert screen.readouterr().out == "Nothing was refused.\n"
    scripts.run_now(yard.redis, refusals.record([noted(7, "\x1b[2J\n\u202e[red]" + "x" * 300)]))
    assert run(["refused"]) == 0
    shown = screen.readouterr().out
    for there in ("too_deep", "1.5 kB", r"\x1b[2J\n"):
        assert there in shown
    for harmful in ("\x1b", "\u202e"):
        assert harmful not in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_commands_say_what_is_invalid(yard: Yard, screen: Screen) -> None:
    yard.accept({"type": "group", "userId": "u"}, {"type": "track", "event": "E", "userId": "u"})
    assert listed(screen, "--invalid") == ["msg_1"]
    assert listed(screen, "--invalid", "--type", "track") == []
    assert run(["message", "msg_1"]) == 0
    assert "id_required (a group call without groupId" in " ".join(screen.readouterr().out.split())
    assert run(["message", "msg_1", "--json"]) == 0
    assert lines(screen)[0]["invalid"] == ["id_required"]
    Path("routes.yaml").write_text(ROUTES + '  odd: {invalid: true, steps: [handler: "a:b"]}\n')
    assert run(["explain", "msg_1", "--json"]) == 0
    (told,) = lines(screen)
    assert told["invalid"] == ["id_required"]
    assert [(one["route"], one["matched"]) for one in told["routes"]] == [("all", False), ("odd", True)]
    assert run(["explain", "msg_1"]) == 0
    assert "invalid id_required" in screen.readouterr().out
