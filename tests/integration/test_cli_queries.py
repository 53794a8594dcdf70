"""The commands that read the store, as people type them, against a real one."""

from pathlib import Path

import pytest

from receiver.cli import tail
from receiver.cli.main import run
from receiver.core.clock import SYSTEM
from receiver.core.message import Status
from receiver.core.selection import Selection
from tests.support.yard import IDENTIFY, ORDER, PAGE, SCREEN, Screen, Yard, interrupt, lines, listed


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        ([], "54321"),
        (["--type", "track"], "51"),
        (["--type", "page", "--type", "screen"], "43"),
        (["--event", "Order *"], "51"),
        (["--source", "web"], "5"),
        (["--user", "usr_1"], "541"),
        (["--user", "anon_3"], "3"),
        (["--since", "90m"], "5"),
        (["--until", "90m ago"], "4321"),
        (["--status", "dead"], "2"),
        (["--status", "waiting"], "3"),
        (["--status", "delivered"], "51"),
        (["--status", "dead", "--status", "delivered"], "521"),
        (["--status", "queued", "--status", "running"], ""),
        (["--route", "orders"], "51"),
        (["--route", "crm", "--route", "later"], "32"),
        (["--route", "orders", "--status", "dead"], ""),
        (["--status", "dead", "--user", "usr_1"], ""),
        (["--status", "dead", "--type", "track"], ""),
        (["--status", "dead", "--type", "identify"], "2"),
        (["--limit", "2"], "54"),
        (["--where", "type = 'track' and userId = 'usr_1'"], "51"),
        (["--where", "match( lowercase( event ), 'order *' )", "--source", "web"], "5"),
        (["--where", "type = 'identify'", "--status", "dead"], "2"),
        (["--where", "event = 5"], ""),
    ],
)
def test_messages_by_every_filter(worked: Yard, screen: Screen, arguments: list[str], ids: str) -> None:
    assert listed(screen, *arguments) == [f"msg_{number}" for number in ids]


def test_a_list_fits_the_terminal_and_says_when_it_was_cut(worked: Yard, screen: Screen) -> None:
    worked.accept({**ORDER, "event": "Order \x1b[2J" + "long " * 50, "userId": "u" * 200})
    assert run(["messages", "--limit", "3"]) == 0
    shown = screen.readouterr()
    rows = shown.out.splitlines()
    assert len(rows) == 2 + 3
    assert max(map(len, rows)) <= 80
    assert "\x1b" not in shown.out
    assert "There are more: --limit 15" in shown.err
    assert run(["messages"]) == 0
    assert "There are more" not in screen.readouterr().err


def test_a_wide_terminal_shows_more(worked: Yard, screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    assert run(["messages", "--source", "web"]) == 0
    shown = screen.readouterr().out
    assert "messageId" in shown
    assert "orders delivered" in shown


def test_nothing_found_is_said(worked: Yard, screen: Screen) -> None:
    assert run(["messages", "--user", "nobody"]) == 0
    assert screen.readouterr().out == "No message is like that.\n"


def test_a_short_list_reads_little_of_a_large_store(yard: Yard, screen: Screen) -> None:
    for _ in range(5):
        yard.accept(*([ORDER] * 400))
    yard.redis.config_resetstat()
    assert len(listed(screen, "--limit", "3")) == 3
    assert len(listed(screen, "--limit", "3", "--status", "queued")) == 3
    stats = yard.redis.info("commandstats")
    assert stats["cmdstat_xrevrange"]["calls"] == 1
    assert stats["cmdstat_lrange"]["calls"] <= 2 * len(yard.config.routes)


def test_queued_and_held_are_told_apart(yard: Yard, screen: Screen) -> None:
    yard.accept(ORDER, IDENTIFY)
    assert run(["routes", "pause", "crm"]) == 0
    screen.readouterr()
    assert listed(screen, "--status", "queued") == ["msg_1"]
    assert listed(screen, "--status", "held") == ["msg_2"]
    assert run(["message", "2"]) == 0
    assert "crm  held: paused by hand" in screen.readouterr().out


def test_a_message_whole(worked: Yard, screen: Screen) -> None:
    assert run(["message", "msg_3"]) == 0
    shown = screen.readouterr().out
    for part in ("msg_3  page Home", "(2h ago)", "shop (/hooks/shop)", '"anonymousId": "anon_3"'):
        assert part in shown
    assert "later  waiting after handler_retry for attempt 2:" in shown
    assert "attempt 1: note skipped, handler handler_retry" in shown
    assert "attempt 1: the CRM is away" in shown
    assert run(["message", "2"]) == 0
    assert "crm  dead: invalid_event_payload at step handler" in screen.readouterr().out
    assert run(["message", "4"]) == 0
    assert "No route took it" in screen.readouterr().out


def test_a_message_seen_again_and_one_with_the_same_id(yard: Yard, screen: Screen) -> None:
    yard.accept({**PAGE, "messageId": "x"}, {**PAGE, "messageId": "x"}, {**PAGE, "messageId": "x"})
    yard.accept({**PAGE, "messageId": "x", "name": "Other", "z": 1})
    assert run(["message", "x"]) == 0
    shown = screen.readouterr().out
    assert "seen         3 times" in shown
    assert "same id as   msg_1, with another body" in shown
    assert run(["message", "x", "--json"]) == 0
    assert [(one["id"], one["seen"], one["same_id_as"]) for one in lines(screen)] == [
        ("msg_1", 3, None),
        ("msg_2", 1, "msg_1"),
    ]
    assert run(["message", "x", "--raw"]) == 2
    assert "stored 2 times: name one of msg_1, msg_2" in screen.readouterr().err


def test_raw_is_byte_for_byte(yard: Yard, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    (number,) = yard.accept({**PAGE, "odd": "\u00e9"})
    stored = yard.store.message(number)
    assert run(["message", str(number), "--raw"]) == 0
    assert stored is not None
    assert capsysbinary.readouterr().out == stored.body


def test_a_message_that_is_not_there(worked: Yard, screen: Screen) -> None:
    assert run(["message", "msg_99"]) == 1
    assert screen.readouterr().err == (
        "There is no message msg_99: not stored, or older than what is kept; the newest is msg_5.\n"
    )


def test_explain_names_the_condition_that_failed(worked: Yard, screen: Screen) -> None:
    assert run(["explain", "msg_1", "--json"]) == 0
    (told,) = lines(screen)
    assert (told["type"], told["event"], told["source"]) == ("track", "Order Completed", "shop")
    verdicts = {one["route"]: (one["matched"], one["then"], one["reason"]) for one in told["routes"]}
    assert verdicts["orders"] == (True, True, "every condition holds")
    assert verdicts["crm"] == (False, False, "its type is track; the route takes identify only")
    assert run(["explain", "msg_1"]) == 0
    assert max(map(len, screen.readouterr().out.splitlines())) <= 80


def test_explain_of_a_route_and_a_source_that_are_gone(worked: Yard, screen: Screen) -> None:
    Path("routes.yaml").write_text(
        "sources: {shop: {verify: {scheme: none}}}\n"
        "routes: {new: {steps: [handler: tests.support.yard:good]}}\n"
    )
    assert run(["explain", "5"]) == 0
    shown = " ".join(screen.readouterr().out.split())
    assert "no source of routes.yaml has the path web it came by" in shown
    assert "It also went to orders" in shown


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["routes", "pause", "order"], "the store knows no route called order; did you mean orders?"),
        (["messages", "--route", "xyz"], "no route called xyz; there are crm, later, orders"),
        (["messages", "--source", "shp"], "no source called shp; did you mean shop?"),
        (["messages", "--type", "page", "--event", "Order *"], "--event names track events"),
        (["tail", "--route", "ordrs"], "did you mean orders?"),
        (["dead", "--route", "cmr"], "did you mean crm?"),
        (["replay", "--since", "1h", "--route", "crn"], "did you mean crm?"),
    ],
)
def test_names_nobody_knows_exit_2_and_suggest(
    worked: Yard, screen: Screen, arguments: list[str], sentence: str
) -> None:
    assert run(arguments) == 2
    assert sentence in " ".join(screen.readouterr().err.split())


def test_tail_shows_each_message_once_the_routes_had_their_turn(yard: Yard, screen: Screen) -> None:
    yard.accept(SCREEN)
    follower = tail.Follower(yard.store, Selection(), None)
    assert list(follower.look()) == []
    yard.accept(ORDER, SCREEN)
    assert list(follower.look()) == []  # the first is not worked yet, and the order is kept
    yard.settle()
    found = [(message.number, [one.status for one in mine]) for message, mine in follower.look()]
    assert found == [(2, [Status.DELIVERED]), (3, [])]
    assert list(follower.look()) == []


def test_tail_does_not_wait_for_ever_nor_for_an_old_store(yard: Yard) -> None:
    clock = Hands()
    follower = tail.Follower(yard.store, Selection(types=("track",)), None, clock)
    yard.accept(ORDER, PAGE)
    assert list(follower.look()) == []
    clock.seconds += tail.PATIENCE_S
    assert [(message.number, mine[0].status) for message, mine in follower.look()] == [(1, Status.QUEUED)]
    yard.redis.flushall()
    Yard(f"unix://{yard.redis.connection_pool.connection_kwargs['path']}", Path()).accept(ORDER)
    follower.look()
    clock.seconds += tail.PATIENCE_S
    assert [message.number for message, _ in follower.look()] == []
    clock.seconds += tail.PATIENCE_S
    assert [message.number for message, _ in follower.look()] == [1]


class Hands:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now_ms(self) -> int:
        return SYSTEM.now_ms()

    def monotonic(self) -> float:
        return self.seconds


def test_tail_catches_up_page_by_page(yard: Yard) -> None:
    yard.accept(*([SCREEN] * 450))
    follower = tail.Follower(yard.store, Selection(), 0)
    sizes: list[int] = []
    while not sizes or follower.behind:
        sizes.append(len(list(follower.look())))
    assert sizes == [200, 200, 50]


def test_tail_as_a_command_ends_clean_with_ctrl_c(
    worked: Yard, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "pause", interrupt)
    assert run(["tail", "--since", "1970-01-01", "--status", "dead", "--status", "delivered"]) == 130
    shown = screen.readouterr()
    assert [line.split()[1] for line in shown.out.splitlines() if "msg_" in line] == [
        "msg_1",
        "msg_2",
        "msg_5",
    ]
    assert "→ crm dead: invalid_event_payload: no e-mail address" in shown.out
    assert shown.err.strip() == "Following; Ctrl-C ends it."
    assert run(["tail", "--since", "90m", "--json"]) == 130
    assert [line["id"] for line in lines(screen)] == ["msg_5"]
