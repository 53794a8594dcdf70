"""A folder with a routes.yaml, messages in its store, and workers on demand: what commands look at."""

import asyncio
import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import redis

from receiver.cli.main import run
from receiver.core import keys, replays, routes_file, scripts, store
from receiver.core.clients import connect
from receiver.core.clock import SYSTEM
from receiver.core.filters import Facts, Matcher
from receiver.core.json_text import members
from receiver.core.message import NewMessage
from receiver.core.queue import Jobs
from receiver.core.reading import Store
from receiver.core.settings import Settings
from workers.api import InvalidEventPayload, Message, RetryError
from workers.drain import Drain
from workers.replay import Replay
from workers.setup import Setup

ROUTES = """
sources:
  shop: {verify: {scheme: none}}
  web: {verify: {scheme: none}}
routes:
  orders:
    events: ["Order *"]
    steps: [handler: tests.support.yard:good]
  crm:
    types: [identify]
    steps: [handler: tests.support.yard:refusing]
  later:
    types: [page]
    retry: [1h]
    steps:
      - {handler: tests.support.yard:good, as: note, when: "name = 'Cart'"}
      - handler: tests.support.yard:failing
"""
ORDER = {"type": "track", "event": "Order Completed", "userId": "usr_1"}
IDENTIFY = {"type": "identify", "userId": "usr_2"}
PAGE = {"type": "page", "name": "Home", "anonymousId": "anon_3"}
SCREEN = {"type": "screen", "name": "Cart", "userId": "usr_1"}
HOUR_MS = 3_600_000

Screen = pytest.CaptureFixture[str]
_numbers = itertools.count(1)


async def good(message: Message) -> None:
    """Takes everything."""


async def refusing(message: Message) -> None:
    raise InvalidEventPayload("no e-mail address")


async def failing(message: Message) -> None:
    raise RetryError("the CRM is away")


class Yard:
    """Sources `shop` and `web`; route `orders` delivers, `crm` makes dead letters, `later` waits to retry."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        path = folder / "routes.yaml"
        path.write_text(ROUTES)
        self.redis: redis.Redis = connect(url)
        self.config = routes_file.load(path, {})
        self.setup = Setup(settings=Settings(grace=0.2), config=self.config, url=url, jobs=Jobs(url))
        self.store = Store(self.redis, self.setup.jobs)
        published = store.publish(self.config, now_ms=SYSTEM.now_ms(), serving="again")
        self.book = scripts.run_now(self.redis, published)
        self._matcher = Matcher(self.config)

    def change(self, text: str) -> None:
        """Put another routes.yaml in force."""
        path = self.folder / "routes.yaml"
        path.write_text(text)
        self.config = routes_file.load(path, {})
        self.setup = replace(self.setup, config=self.config)
        made = store.publish(self.config, now_ms=SYSTEM.now_ms(), serving="anew")
        self.book = scripts.run_now(self.redis, made)
        self._matcher = Matcher(self.config)

    def accept(self, *messages: dict[str, Any], source: str = "shop", ago_ms: int = 0) -> list[int]:
        """Store messages as if they had arrived `ago_ms` ago, older ones first; answers their numbers."""
        made = [self._message(message, source) for message in messages]
        accepted = store.accept(made, self.book, now_ms=SYSTEM.now_ms() - ago_ms, window_ms=86_400_000)
        return [one.number for one in scripts.run_now(self.redis, accepted).messages]

    def _message(self, message: dict[str, Any], source: str) -> NewMessage:
        body = orjson.dumps({"messageId": f"made-{next(_numbers)}", **message})
        facts = Facts(type=message.get("type"), event=message.get("event"))
        return NewMessage(
            body=body,
            source=source,
            path=source,
            covered=True,
            message_id=orjson.loads(body)["messageId"],
            content=body[-4:],
            users=tuple(filter(None, (message.get("userId"), message.get("anonymousId")))),
            routes=self._matcher.match(self.config.paths[source], facts, members(body)),
        )

    def settle(self) -> None:
        """Work until every delivery had its turn."""
        with self.working():
            deadline = SYSTEM.monotonic() + 10
            ready = threading.Event()
            while any(state.backlog + state.replaying + state.running for state in self.store.routes()):
                assert SYSTEM.monotonic() < deadline, "the drain does not get done"
                ready.wait(0.005)

    @contextmanager
    def working(self) -> Iterator[None]:
        """A drain and a walker of replays, in a thread of their own."""
        stop = threading.Event()
        thread = threading.Thread(target=lambda: asyncio.run(self._work(stop)))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    async def _work(self, stop: threading.Event) -> None:
        drain = Drain("default", f"drain-default-y{next(_numbers)}", self.setup, worker="test")
        tasks = {0: asyncio.create_task(drain.run())}
        walkers: list[Replay] = []
        while not stop.is_set():
            for one in replays.listed(self.redis):
                if one.state == "running" and (one.id not in tasks or tasks[one.id].done()):
                    walkers.append(Replay(one.id, f"owner-{next(_numbers)}", self.setup))
                    tasks[one.id] = asyncio.create_task(walkers[-1].run())
            await asyncio.sleep(0.005)
        drain.stop()
        self.redis.rpush(keys.key("WAKE", "default"), 1)  # it may be listening, for up to a second
        for walker in walkers:
            walker.stop()
        await asyncio.gather(*tasks.values())

    def pretend_worker(self, queue: str) -> None:
        """Make RQ believe that a worker serves the queue."""
        self.redis.sadd("rq:workers", f"rq:worker:{queue}")
        self.redis.hset(f"rq:worker:{queue}", "queues", f"hookyard-{queue}")


@pytest.fixture
def yard(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Yard:
    """An empty one, in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOOKYARD_REDIS_URL", redis_url)
    return Yard(redis_url, tmp_path)


@pytest.fixture
def worked(yard: Yard) -> Yard:
    """1 delivered, 2 dead, 3 waiting for a retry, 4 without a route; 5 came by another source, later."""
    yard.accept(ORDER, IDENTIFY, PAGE, SCREEN, ago_ms=2 * HOUR_MS)
    yard.accept(ORDER, source="web", ago_ms=HOUR_MS)
    yard.settle()
    return yard


@pytest.fixture
def screen(capsys: Screen) -> Screen:
    """What the command printed."""
    return capsys


def lines(screen: Screen) -> list[Any]:
    """The JSON lines on stdout."""
    return [json.loads(line) for line in screen.readouterr().out.splitlines()]


def listed(screen: Screen, *arguments: str) -> list[str]:
    """Ids that `hookyard messages` shows."""
    assert run(["messages", "--json", *arguments]) == 0
    return [line["id"] for line in lines(screen)]


def interrupt(_: float) -> None:
    """In the place of a wait: Ctrl-C."""
    raise KeyboardInterrupt
