"""`hookyard replay` and `hookyard replays`, as people type them, against a real store with real workers."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from receiver.cli import replay_watch
from receiver.cli.main import run
from receiver.core import keys, replays
from tests.support.yard import Screen, Yard, interrupt, lines


def test_a_dry_run_counts_and_changes_nothing(worked: Yard, screen: Screen) -> None:
    assert run(["replay", "--since", "1970-01-01", "--dry-run", "--rate", "2", "--json"]) == 0
    (told,) = lines(screen)
    assert (told["messages"], told["unrouted"], told["deliveries"], told["seconds"]) == (5, 1, 4, 2.0)
    assert told["routes"] == {"crm": 1, "later": 1, "orders": 2}
    assert run(["replay", "--user", "usr_1", "--route", "crm", "--dry-run"]) == 0
    shown = screen.readouterr().out
    assert "Would replay 3 messages of 5 looked at: 3 deliveries." in shown
    assert "Nothing was replayed." in shown
    assert replays.listed(worked.redis) == []


def test_a_dry_run_goes_by_routes_yaml_of_now(worked: Yard, screen: Screen) -> None:
    path = Path("routes.yaml")
    path.write_text(path.read_text().replace("[identify]", "[screen]"))
    assert run(["replay", "--since", "1970-01-01", "--dry-run", "--json"]) == 0
    (told,) = lines(screen)
    assert (told["routes"]["crm"], told["unrouted"]) == (1, 1)


@pytest.mark.parametrize(
    ("arguments", "code", "summary"),
    [
        (["--type", "track"], 0, "Replayed 2 messages: 2 delivered, 0 dropped, 0 dead."),
        (["--type", "identify"], 1, "Replayed 1 message: 0 delivered, 0 dropped, 1 dead."),
        (["--id", "msg_2", "--id", "1", "--route", "orders"], 0, "Replayed 2 messages: 2 delivered"),
        (["--event", "Order *", "--source", "web", "--until", "now"], 0, "Replayed 1 message: 1 delivered"),
        (["--user", "usr_1", "--route", "orders", "--route", "crm"], 1, "3 delivered, 0 dropped, 3 dead"),
        (["--type", "screen"], 0, "1 message, and no route takes any of them today"),
        (["--where", "type = 'track' and userId = 'usr_1'"], 0, "Replayed 2 messages: 2 delivered"),
    ],
)
def test_a_replay_delivers_again_and_waits_for_it(
    worked: Yard, screen: Screen, arguments: list[str], code: int, summary: str
) -> None:
    with worked.working():
        assert run(["replay", "--rate", "5000", *arguments]) == code
    assert summary in screen.readouterr().out


def test_a_replay_of_nothing_is_no_replay(worked: Yard, screen: Screen) -> None:
    assert run(["replay", "--since", "1m"]) == 0
    assert run(["replay", "--user", "nobody"]) == 0
    assert "nothing to replay" in screen.readouterr().err
    assert replays.listed(worked.redis) == []
    assert run(["replay", "--id", "msg_99"]) == 1


def test_a_replay_to_a_route_nobody_serves_is_refused(worked: Yard, screen: Screen) -> None:
    number = worked.store.route_numbers()["crm"]
    worked.redis.hdel(f"hookyard1:{{0}}:route:{number}", "queue")
    assert run(["replay", "--id", "1", "--route", "crm"]) == 2
    assert "no worker serves the route crm" in screen.readouterr().err


def test_detached_watched_paused_resumed_cancelled(worked: Yard, screen: Screen) -> None:
    assert run(["replay", "--type", "track", "--detach", "--json"]) == 0
    (told,) = lines(screen)
    assert (told["id"], told["state"], told["selection"]["types"]) == (1, "running", ["track"])
    assert worked.setup.jobs.waiting("replay") == 1
    assert run(["replays", "pause", "1"]) == 0
    assert run(["replays", "pause", "1"]) == 1
    assert "replay 1 is paused" in screen.readouterr().err
    assert run(["replays", "resume", "1"]) == 0
    assert worked.setup.jobs.waiting("replay") == 2
    with worked.working():
        assert run(["replay", "--id", "1", "--rate", "1000"]) == 0
    assert run(["replay", "--id", "1", "--detach"]) == 0
    assert "Replay 3 goes on by itself" in screen.readouterr().err
    assert run(["replays", "cancel", "3"]) == 0
    screen.readouterr()
    assert run(["replays", "--json"]) == 0
    assert [(one["id"], one["state"], one["over"]) for one in lines(screen)] == [
        (3, "cancelled", True),
        (2, "done", True),
        (1, "done", True),
    ]
    assert run(["replays", "--limit", "2"]) == 0
    shown = screen.readouterr()
    assert len(shown.out.splitlines()) == 2 + 2
    assert "There are more" in shown.err


def test_what_a_cancelled_replay_dropped_is_not_called_delivered(worked: Yard, screen: Screen) -> None:
    assert run(["replay", "--type", "track", "--detach"]) == 0
    worked.redis.hset(keys.key("REPLAY", 1), mapping={"delivered": 21, "dropped": 43})
    screen.readouterr()
    assert run(["replays"]) == 0
    shown = screen.readouterr().out
    assert re.search(r" 21 +43 +0 ", shown)
    assert all(len(line) <= 80 for line in shown.splitlines())


def test_ctrl_c_leaves_the_replay_running_and_says_how_to_stop_it(
    worked: Yard, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_watch, "pause", interrupt)
    assert run(["replay", "--id", "1"]) == 130
    assert "hookyard replays pause 1 or cancel 1 stops it" in screen.readouterr().err
    (one,) = replays.listed(worked.redis)
    assert one.state == "running"


def watching(monkeypatch: pytest.MonkeyPatch, *then: Callable[[], object]) -> None:
    """Instead of waiting, do these things in turn."""
    waiting = iter(then)
    monkeypatch.setattr(replay_watch, "pause", lambda _: next(waiting)())


def test_a_replay_that_does_not_move_says_why(
    worked: Yard, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_watch, "HINT_S", 0.0)
    watching(monkeypatch, lambda: run(["replays", "pause", "1"]), lambda: run(["replays", "cancel", "1"]))
    assert run(["replay", "--id", "1"]) == 1
    shown = screen.readouterr()
    assert "It waits: no worker runs: start `hookyard workers`" in shown.err
    assert "It waits: replay 1 is paused: hookyard replays resume 1" in shown.err
    assert "Replay 1 was cancelled" in shown.out


def test_a_replay_held_by_a_paused_route_says_so(
    worked: Yard, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_watch, "HINT_S", 0.05)
    worked.pretend_worker("default")
    assert run(["routes", "pause", "orders"]) == 0
    with worked.working():
        monkeypatch.setattr(replay_watch, "pause", until_said(screen, "hookyard routes resume orders"))
        assert run(["replay", "--id", "1", "--rate", "1000"]) == 0
    assert "1 delivered" in screen.readouterr().out


def until_said(screen: Screen, words: str) -> Callable[[float], None]:
    """Waits as the command does; once the words are on the screen, does what they say."""
    said = ""

    def wait(_: float) -> None:
        nonlocal said
        said += screen.readouterr().err
        if words in said:
            said = ""
            assert run(words.split()[1:]) == 0

    return wait


def test_waiting_ends_where_only_retries_are_left(
    worked: Yard, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_watch, "REST_S", 0.2)
    with worked.working():
        assert run(["replay", "--type", "page", "--type", "track", "--rate", "1000"]) == 0
    assert screen.readouterr().out.strip() == (
        "Replayed 3 messages: 2 delivered, 0 dropped, 0 dead, 1 wait for a retry."
    )
    assert run(["replays"]) == 0
    assert "delivering" in screen.readouterr().out
