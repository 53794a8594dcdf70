"""Several versions of routes.yaml served at once: which one the store obeys, and what is seen of it."""

from typing import Any, cast

import pytest
import redis

from receiver.cli.doctor import examine
from receiver.cli.findings import Finding
from receiver.core import keys, processes, scripts, store
from receiver.core.processes import LIVES_MS, Kind, Process, Standing
from receiver.core.routes import Route
from receiver.core.store import Book, Serving
from tests.support.stored import config, message, route
from tests.support.yard import Yard

NOW = 1_700_000_000_000


class Deployment:
    """A store, and supervisors that serve what they are given."""

    def __init__(self, client: "redis.Redis") -> None:
        self.client = client
        self.now_ms = NOW

    def publish(
        self, version: str, *routes: Route, serving: Serving = "again", by: str = "", **more: Any
    ) -> Book:
        made = store.publish(
            config(*routes, version=version), now_ms=self.now_ms, serving=serving, process=by, **more
        )
        return scripts.run_now(self.client, made)

    def beat(self, name: str, version: str, order: int, kind: Kind = "workers") -> Standing:
        one = Process(name=name, kind=kind, host="here", pid=1, version=version, order=order)
        return scripts.run_now(self.client, processes.beat(one, now_ms=self.now_ms))

    def serve(self, name: str, version: str, *routes: Route, serving: Serving = "again") -> Book:
        """As a supervisor does at its start."""
        book = self.publish(version, *routes, serving=serving, by=name)
        self.beat(name, version, book.order)
        return book

    def about(self, number: int) -> dict[str, str]:
        found = cast("dict[bytes, bytes]", self.client.hgetall(keys.key("ROUTE", number)))
        return {field.decode(): value.decode() for field, value in found.items()}

    @property
    def in_force(self) -> str:
        return cast("bytes", self.client.hget(keys.key("META"), "config")).decode()


@pytest.fixture
def there(redis: "redis.Redis") -> Deployment:
    return Deployment(redis)


OLD = (route("a", concurrency=1, queue="slow"),)
NEW = (route("a", concurrency=9), route("b"))


def test_one_that_publishes_again_does_not_undo_a_newer_one(there: Deployment) -> None:
    """After an outage each supervisor publishes what it has, in any order."""
    there.serve("one", "old", *OLD)
    there.serve("two", "new", *NEW)
    there.serve("one", "old", *OLD)
    assert there.in_force == "new"
    assert there.about(1) == {"name": "a", "queue": "default", "concurrency": "9"}
    assert there.about(2)["queue"] == "default"


def test_a_restart_with_a_file_that_was_forgotten_does_not_either(there: Deployment) -> None:
    there.serve("one", "old", *OLD)
    there.serve("two", "new", *NEW)
    there.serve("one, started again", "old", *OLD)
    assert there.in_force == "new"


def test_the_older_one_is_in_force_again_once_nobody_serves_the_newer(there: Deployment) -> None:
    """As when all were started again with the file as it was before."""
    book = there.serve("one", "old", *OLD)
    newer = there.serve("two", "new", *NEW)
    assert there.beat("one", "old", book.order) == Standing(in_force=newer.order, newest=newer.order)
    there.now_ms += LIVES_MS + 1
    assert there.beat("one", "old", book.order) == Standing(in_force=newer.order, newest=book.order)
    there.serve("one", "old", *OLD)
    assert there.in_force == "old"
    assert "queue" not in there.about(2)
    assert there.about(2)["gone"] == str(there.now_ms)


def test_who_ends_is_not_waited_for(there: Deployment) -> None:
    book = there.serve("one", "old", *OLD)
    there.serve("two", "new", *NEW)
    scripts.run_now(there.client, processes.leave("two"))
    assert there.beat("one", "old", book.order).newest == book.order


def test_a_file_that_was_put_back_and_read_anew_is_the_newest(there: Deployment) -> None:
    there.serve("one", "old", *OLD)
    there.serve("two", "new", *NEW)
    there.serve("one", "old", *OLD, serving="anew")
    there.serve("two", "new", *NEW)
    assert there.in_force == "old"


def test_receivers_and_drains_put_nothing_in_force(there: Deployment) -> None:
    there.serve("one", "old", *OLD)
    there.publish("new", *NEW, serving="")
    there.publish("new", *NEW, serving="empty")
    assert (there.in_force, there.about(2)) == ("old", {"name": "b"})


def test_in_a_store_that_came_back_empty_the_order_is_as_it_was(there: Deployment) -> None:
    old = there.serve("one", "old", *OLD)
    new = there.serve("two", "new", *NEW)
    there.client.flushall()
    there.publish("old", *OLD, serving="empty")  # a drain, before any supervisor
    assert there.in_force == "old"
    book = there.publish("new", *NEW, by="two", order=new.order)
    there.beat("two", "new", book.order)
    there.publish("old", *OLD, by="one", order=old.order)
    assert there.in_force == "new"


def test_a_route_that_is_gone_holds_its_work_and_takes_it_up_when_it_is_back(there: Deployment) -> None:
    book = there.serve("one", "first", *NEW)
    scripts.run_now(there.client, store.accept([message("b")], book, now_ms=NOW, window_ms=1000))
    assert there.client.zrange(keys.key("READY", "default"), 0, -1) == [b"2"]
    there.serve("one", "second", route("a"), serving="anew")
    assert there.client.zcard(keys.key("READY", "default")) == 0
    there.serve("one", "third", *NEW, serving="anew")
    assert there.client.zrange(keys.key("READY", "default"), 0, -1) == [b"2"]
    assert "gone" not in there.about(2)


def found(yard: Yard, title: str) -> Finding | None:
    findings = examine({"HOOKYARD_REDIS_URL": yard.setup.url})
    return next((item for item in findings if item.title == title), None)


def live(yard: Yard, name: str, kind: Kind, version: str, refused: str = "") -> None:
    one = Process(name=name, kind=kind, host="h1", pid=7, version=version, refused=refused)
    scripts.run_now(yard.redis, processes.beat(one, now_ms=yard.store.clock.now_ms()))


def test_the_doctor_says_who_goes_by_which_version(yard: Yard) -> None:
    version = yard.config.version
    assert found(yard, "versions") is None
    live(yard, "r", "receiver", version)
    live(yard, "w", "workers", version)
    good = found(yard, "versions")
    assert good is not None
    assert good.detail == f"2 processes, all by {version}"
    live(yard, "w", "workers", "ffff")
    different = found(yard, "routes.yaml differs")
    assert different is not None
    assert different.detail == (f"{version} (in force): receiver 7 on h1, this folder; ffff: workers on h1")


def test_the_doctor_says_what_is_refused(yard: Yard) -> None:
    live(yard, "w", "workers", yard.config.version, "routes.yaml:3: bad")
    finding = found(yard, "workers on h1 does not go by its routes.yaml")
    assert finding is not None
    assert finding.detail.startswith("routes.yaml:3: bad")
