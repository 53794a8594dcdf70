"""`hookyard doctor` on the work itself: who works it, what waits, what was given up."""

from receiver.cli.doctor import examine
from receiver.cli.findings import Finding
from receiver.core import keys, replays
from receiver.core.clock import SYSTEM
from receiver.core.replays import Plan
from receiver.core.selection import Selection
from tests.support.yard import HOUR_MS, IDENTIFY, ORDER, PAGE, Yard


def found(yard: Yard, **environ: str) -> dict[str, Finding]:
    """Title → finding."""
    return {item.title: item for item in examine({"HOOKYARD_REDIS_URL": yard.setup.url, **environ})}


def test_an_empty_store_without_workers_is_all_right(yard: Yard) -> None:
    findings = found(yard)
    assert findings["workers"].level == "ok"
    assert findings["messages"].detail == "0 kept, 0 B with their indexes"
    assert {findings[title].level for title in ("retries", "waiting", "dead letters")} == {"ok"}


def test_a_queue_with_work_and_no_worker_is_an_error(yard: Yard) -> None:
    yard.accept(ORDER, ORDER)
    finding = found(yard)["queue default has no worker"]
    assert (finding.level, finding.detail) == ("error", "2 deliveries wait in it")
    assert "hookyard workers --queues default" in finding.fix
    yard.pretend_worker("other")
    assert "queue default has no worker" in found(yard)
    yard.pretend_worker("default")
    assert found(yard)["workers"].detail == "default 1, other 1"


def test_workers_are_looked_for_where_rq_keeps_them(yard: Yard) -> None:
    yard.accept(ORDER)
    yard.pretend_worker("default")
    other = yard.setup.url + "?db=1"
    assert "queue default has no worker" in found(yard, HOOKYARD_RQ_URL=other)


def test_retries_with_no_worker_at_all_are_an_error(yard: Yard) -> None:
    yard.accept(PAGE)
    yard.settle()
    finding = found(yard)["retries"]
    assert (finding.level, finding.detail) == ("error", "1 delivery waits for a retry, and no worker runs")
    yard.pretend_worker("default")
    assert found(yard)["retries"].level == "ok"


def test_paused_and_unserved_routes_say_what_they_hold(yard: Yard) -> None:
    numbers = yard.store.route_numbers()
    yard.accept(ORDER, IDENTIFY)
    yard.store.pause(numbers["orders"], "orders: 410 Gone")
    yard.redis.hdel(keys.key("ROUTE", numbers["crm"]), "queue")
    findings = found(yard)
    paused, unserved = findings["route orders is paused"], findings["route crm is not served"]
    assert (paused.level, unserved.level) == ("warning", "warning")
    assert paused.detail == "orders: 410 Gone; 1 delivery waits"
    assert paused.fix == "hookyard routes resume orders"
    assert "queue default has no worker" not in findings


def test_the_oldest_waiting_message_is_a_warning_after_a_while(yard: Yard) -> None:
    yard.accept(ORDER, ago_ms=1000)
    assert found(yard)["waiting"].level == "ok"
    yard.redis.flushall()
    fresh = Yard(yard.setup.url, yard.folder)
    fresh.accept(ORDER, ago_ms=HOUR_MS)
    late = found(fresh)["waiting"]
    assert (late.level, late.detail) == ("warning", "the oldest message came 1h ago, for route orders")


def test_dead_letters_and_replays_are_counted(yard: Yard) -> None:
    yard.accept(IDENTIFY, IDENTIFY, ORDER)
    yard.settle()
    plan = Plan(selection=Selection(), rate=1.0)
    replays.create(yard.redis, plan, first=1, last=3, now_ms=SYSTEM.now_ms())
    findings = found(yard)
    assert (findings["dead letters"].level, findings["dead letters"].detail) == ("warning", "crm 2")
    assert findings["replay 1"].detail == "running: 0% of the messages looked at, 0 delivered"
    assert findings["messages"].detail.startswith("3 kept, ")
