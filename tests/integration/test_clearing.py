"""Routes that are gone: what waits on them is seen, moved or dropped, each delivery wholly or not at all."""

import itertools
import re
from typing import cast

import pytest

from receiver.cli.doctor import examine
from receiver.cli.main import run
from receiver.core import clearing, keys, replays, scripts
from receiver.core.clearing import Cleared
from receiver.core.clock import SYSTEM
from receiver.core.errors import StoreUnavailable
from receiver.core.message import Delivery, Status
from receiver.core.replays import Plan
from receiver.core.scripts import Call
from receiver.core.selection import Selection
from tests.support.audit import debts
from tests.support.processes import until
from tests.support.yard import IDENTIFY, ORDER, PAGE, ROUTES, Screen, Yard, lines

RENAMED = (
    ROUTES.replace("  orders:", "  sales:").replace("  later:", "  visits:").replace("  crm:", "  people:")
)


def delivery(yard: Yard, number: int, route: str) -> Delivery:
    return next(one for one in yard.store.deliveries(number) if one.route == route)


def left(yard: Yard, route: str) -> int:
    return clearing.waiting(yard.redis, yard.store.route_numbers()[route]).clearable


def waiting(yard: Yard, route: str) -> list[int]:
    """Numbers of the messages in its backlog, in their order."""
    number = yard.store.route_numbers()[route]
    found = cast("list[bytes]", yard.redis.lrange(keys.key("BACKLOG", number), 0, -1))
    assert all(ref.endswith(f":{number}:0".encode()) for ref in found)
    return [int(ref.split(b":")[0]) for ref in found]


def retries(yard: Yard) -> list[tuple[bytes, float]]:
    """References that wait for a retry, and when they are due."""
    return cast("list[tuple[bytes, float]]", yard.redis.zrange(keys.key("LATER"), 0, -1, withscores=True))


def test_gone_routes_are_listed_with_what_waits_on_them(worked: Yard, screen: Screen) -> None:
    worked.accept(ORDER, ORDER)
    worked.change(RENAMED)
    assert run(["routes", "--json"]) == 0
    gone = {line["route"]: line for line in lines(screen) if line["gone_since"]}
    assert {name: (line["backlog"], line["later"], line["dead"]) for name, line in gone.items()} == {
        "orders": (2, 0, 0),
        "later": (0, 1, 0),
        "crm": (0, 0, 1),
    }
    assert run(["routes"]) == 0
    shown = screen.readouterr().out
    assert re.search(r"^later +gone +1 ", shown, re.MULTILINE)
    assert "hookyard routes move orders NEW" in shown
    findings = {item.title: item for item in examine({"HOOKYARD_REDIS_URL": worked.setup.url})}
    told = "2 deliveries wait, 0 dead; the routes.yaml in force does not name it any more"
    assert findings["route orders is gone"].detail == told
    assert "hookyard routes drop later" in findings["route later is gone"].fix
    for name in gone:
        assert run(["routes", "drop", name, "--yes"]) == 0
    screen.readouterr()
    assert run(["routes", "--json"]) == 0
    assert {line["route"] for line in lines(screen)} == {"sales", "people", "visits"}


def test_a_renamed_routes_backlog_is_delivered_by_the_new_one_in_its_order(
    yard: Yard, screen: Screen
) -> None:
    numbers = yard.accept(*([ORDER] * 450))
    yard.change(RENAMED)
    assert run(["routes", "move", "orders", "sales", "--yes", "--json"]) == 0
    assert lines(screen) == [{"moved": 450, "already_there": 0, "left": 0}]
    assert waiting(yard, "sales") == numbers
    assert debts(yard.store) == 450
    yard.settle()
    assert debts(yard.store) == 0
    old = delivery(yard, numbers[0], "orders")
    assert (old.status, old.code) == (Status.DROPPED, "moved")
    assert delivery(yard, numbers[0], "sales").status is Status.DELIVERED


def test_retries_begin_anew_and_their_history_stays(worked: Yard) -> None:
    worked.change(RENAMED)
    assert run(["routes", "move", "later", "visits", "--yes"]) == 0
    old, new = delivery(worked, 3, "later"), delivery(worked, 3, "visits")
    assert (old.code, [attempt.code for attempt in old.history]) == ("moved", ["handler_retry"])
    assert (new.status, new.attempts) == (Status.QUEUED, 0)
    assert worked.redis.zcard(keys.key("LATER")) == 0


def test_the_same_route_under_another_name_goes_on_where_it_was(worked: Yard) -> None:
    ((_, due),) = retries(worked)
    worked.change(RENAMED)
    assert run(["routes", "move", "later", "visits", "--yes", "--resume"]) == 0
    new = delivery(worked, 3, "visits")
    assert (new.status, new.attempts, new.code) == (Status.WAITING, 1, "handler_retry")
    assert [attempt.code for attempt in new.history] == ["handler_retry"]
    assert retries(worked) == [(f"3:{worked.store.route_numbers()['visits']}:0".encode(), due)]


def test_dead_letters_are_dead_letters_there(worked: Yard) -> None:
    worked.change(RENAMED)
    assert run(["routes", "move", "crm", "people", "--yes"]) == 0
    (letter,) = worked.store.dead("people")
    assert (letter.message, letter.code) == (2, "invalid_event_payload")
    assert worked.store.dead("crm") == []
    assert delivery(worked, 2, "crm").history[0].error == "no e-mail address"
    assert run(["dead", "retry", "--route", "people", "--yes"]) == 0
    assert delivery(worked, 2, "people").status is Status.QUEUED


def test_a_message_the_other_route_has_already_gets_no_second_delivery(yard: Yard, screen: Screen) -> None:
    both = ROUTES + '  sales: {events: ["Order *"], steps: [handler: tests.support.yard:good]}\n'
    yard.change(both)
    (number,) = yard.accept(ORDER)
    yard.change(RENAMED)
    assert run(["routes", "move", "orders", "sales", "--yes", "--json"]) == 0
    assert lines(screen) == [{"moved": 0, "already_there": 1, "left": 0}]
    assert debts(yard.store) == 1
    yard.settle()
    assert debts(yard.store) == 0
    assert delivery(yard, number, "sales").status is Status.DELIVERED


def test_what_is_dropped_stays_on_record_and_is_counted(worked: Yard, screen: Screen) -> None:
    worked.accept(ORDER, ORDER)
    worked.change("sources:\n  shop: {verify: {scheme: none}}\nroutes: {}\n")
    for name in ("orders", "crm", "later"):
        assert run(["routes", "drop", name, "--yes", "--json"]) == 0
    assert [line["dropped"] for line in lines(screen)] == [2, 1, 1]
    assert debts(worked.store) == 0
    assert worked.redis.hlen(keys.key("OWED")) == 0
    one = delivery(worked, 2, "crm")
    assert (one.status, one.code, one.attempts) == (Status.DROPPED, "dropped_by_operator", 1)
    assert one.history[0].error == "no e-mail address"
    numbers = worked.store.route_numbers()
    assert worked.store.totals()[f"{numbers['orders']}:removed"] == 2


def test_a_replay_counts_what_was_dropped_of_it(yard: Yard) -> None:
    numbers = yard.accept(ORDER)
    yard.settle()
    plan = Plan(selection=Selection(numbers=tuple(numbers)), routes=("crm",), rate=100.0)
    one = replays.create(yard.redis, plan, first=1, last=1, now_ms=SYSTEM.now_ms())
    with yard.working():
        until(lambda: sums(yard, one) == (0, 1), what="its dead letter")
    assert run(["routes", "pause", "crm"]) == 0
    assert run(["routes", "drop", "crm", "--yes"]) == 0
    assert sums(yard, one) == (1, 0)


def sums(yard: Yard, replay: int) -> tuple[int, int]:
    found = replays.progress(yard.redis, replay)
    assert found is not None
    return found.dropped, found.dead


def test_killed_in_between_it_goes_on_and_doubles_nothing(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = yard.accept(*([ORDER] * 500))
    yard.change(RENAMED)
    calls, run_now = itertools.count(), scripts.run_now

    def cut_off(client: object, made: Call[Cleared]) -> Cleared:
        answer = run_now(client, made)  # type: ignore[arg-type]
        if isinstance(answer, Cleared) and next(calls) == 1:
            raise StoreUnavailable("the answer never came")
        return answer

    monkeypatch.setattr(scripts, "run_now", cut_off)
    assert run(["routes", "move", "orders", "sales", "--yes"]) == 1
    assert 0 < left(yard, "orders") < 500
    assert run(["routes", "move", "orders", "sales", "--yes"]) == 0
    assert waiting(yard, "sales") == numbers


def test_a_purged_message_is_not_carried_along(yard: Yard) -> None:
    first, second = yard.accept(ORDER, ORDER)
    (gone,) = yard.store.messages([first])
    yard.redis.xdel(keys.key("LOG"), f"{first}-{gone.received_ms}")
    yard.change(RENAMED)
    assert run(["routes", "move", "orders", "sales", "--yes"]) == 0
    assert waiting(yard, "sales") == [second]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["move", "orders", "orders"], "the same route"),
        (["move", "orders", "nowhere"], "knows no route called nowhere"),
        (["move", "orders", "crm"], "pause it first, hookyard routes pause orders"),
        (["drop", "orders"], "pause it first"),
    ],
)
def test_what_would_be_a_mistake_is_refused(
    yard: Yard, screen: Screen, arguments: list[str], said: str
) -> None:
    yard.accept(ORDER)
    assert run(["routes", *arguments, "--yes"]) == 2
    assert said in screen.readouterr().err
    assert left(yard, "orders") == 1


def test_to_a_route_that_nobody_serves_nothing_is_moved(yard: Yard, screen: Screen) -> None:
    yard.accept(ORDER)
    yard.change(RENAMED)
    assert run(["routes", "move", "orders", "later", "--yes"]) == 2
    assert "no worker serves later" in screen.readouterr().err


def test_it_asks_first(yard: Yard, screen: Screen) -> None:
    yard.accept(ORDER, PAGE)
    yard.change(RENAMED)
    assert run(["routes", "drop", "orders"]) == 2  # nobody is there to answer
    assert "Drop 1 delivery (1 waiting) of orders? Add --yes" in screen.readouterr().err
    assert left(yard, "orders") == 1


def test_a_route_in_force_may_be_emptied_while_it_is_paused(yard: Yard) -> None:
    yard.accept(ORDER)
    assert run(["routes", "pause", "orders"]) == 0
    assert run(["routes", "move", "orders", "crm", "--yes"]) == 0
    assert left(yard, "orders") == 0
    assert left(yard, "crm") == 1


def test_a_route_paused_and_removed_is_still_paused_when_its_name_comes_back(yard: Yard) -> None:
    yard.accept(ORDER)
    run(["routes", "pause", "orders"])
    yard.change(RENAMED)
    yard.change(ROUTES)
    (state,) = (one for one in yard.store.routes() if one.name == "orders")
    assert (state.paused, state.backlog) == ("paused by hand", 1)


def test_dead_letters_are_dropped_by_the_choice_that_retries_them(worked: Yard, screen: Screen) -> None:
    worked.accept(IDENTIFY, IDENTIFY)
    worked.settle()
    assert run(["dead", "drop"]) == 2
    assert run(["dead", "drop", "--id", "msg_2", "--json", "--yes"]) == 0
    assert run(["dead", "drop", "--code", "http_404", "--json", "--yes"]) == 0
    assert run(["dead", "drop", "--route", "crm", "--json", "--yes"]) == 0
    assert lines(screen) == [{"dropped": 1}, {"dropped": 0}, {"dropped": 2}]
    assert worked.store.dead("crm") == []
    assert delivery(worked, 2, "crm").code == "dropped_by_operator"
    assert debts(worked.store) == 1  # the one that waits for its retry


def test_a_letter_that_was_retried_meanwhile_is_not_dropped(worked: Yard) -> None:
    (letter,) = worked.store.dead("crm")
    refs = worked.store.references([letter])
    worked.store.redrive([letter])
    assert clearing.drop_dead(worked.store, refs) == 0
    assert debts(worked.store) == 2
