"""`hookyard dead` and `hookyard routes`, as people type them, against a real store."""

import json

import pytest

from receiver.cli.main import run
from tests.support.yard import IDENTIFY, ORDER, Screen, Yard, lines, listed


def test_dead_letters_by_reason_and_one_by_one(worked: Yard, screen: Screen) -> None:
    worked.accept(*([IDENTIFY] * 3))
    worked.settle()
    assert run(["dead", "--json"]) == 0
    (group,) = lines(screen)
    assert (group["route"], group["code"], group["count"]) == ("crm", "invalid_event_payload", 4)
    assert (group["newest"], group["error"]) == ("msg_8", "no e-mail address")
    assert group["oldest_at"] < group["newest_at"]
    assert run(["dead"]) == 0
    shown = screen.readouterr().out
    assert "no e-mail address" in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert run(["dead", "--route", "crm", "--limit", "3", "--json"]) == 0
    told = screen.readouterr()
    assert [json.loads(line)["id"] for line in told.out.splitlines()] == ["msg_8", "msg_7", "msg_6"]
    assert "There are more" in told.err
    assert run(["dead", "--code", "http_404"]) == 0
    assert screen.readouterr().out == "No dead letter is like that.\n"


def test_retrying_asks_first(worked: Yard, screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(["dead", "retry", "--all"]) == 2  # nobody is there to answer
    assert "1 dead letter would be retried: add --yes" in screen.readouterr().err
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    assert run(["dead", "retry", "--all"]) == 1
    assert screen.readouterr().out == ""
    assert listed(screen, "--status", "dead") == ["msg_2"]
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert run(["dead", "retry", "--all"]) == 0
    assert screen.readouterr().out == "1 dead letter has a new round of attempts.\n"
    assert listed(screen, "--status", "dead") == []


class Terminal:
    """A person at the keyboard."""

    def __init__(self, answer: str) -> None:
        self._answer = answer

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        return self._answer


@pytest.mark.parametrize(
    ("which", "ids"),
    [
        (["--all"], "6782"),
        (["--route", "crm"], "6782"),
        (["--route", "orders"], ""),
        (["--code", "invalid_event_payload"], "6782"),
        (["--code", "http_404"], ""),
        (["--id", "msg_2", "--id", "msg_7"], "27"),
        (["--id", "msg_2", "--route", "orders"], ""),
    ],
)
def test_what_is_retried(worked: Yard, screen: Screen, which: list[str], ids: str) -> None:
    worked.accept(*([IDENTIFY] * 3))
    worked.settle()
    assert run(["dead", "retry", "--yes", "--json", *which]) == 0
    assert lines(screen) == [{"retried": len(ids), "held": []}]
    queued = [f"msg_{number}" for number in sorted(ids, reverse=True)]
    assert listed(screen, "--status", "queued") == queued


def test_what_dies_again_is_not_retried_again(worked: Yard, screen: Screen) -> None:
    worked.accept(*([IDENTIFY] * 600))
    worked.settle()
    with worked.working():
        assert run(["dead", "retry", "--all", "--yes"]) == 0
    assert screen.readouterr().out == "601 dead letters have a new round of attempts.\n"


def test_a_retry_on_a_paused_route_says_that_it_waits(worked: Yard, screen: Screen) -> None:
    assert run(["routes", "pause", "crm"]) == 0
    screen.readouterr()
    assert run(["dead", "retry", "--route", "crm", "--yes"]) == 0
    assert "crm is held (paused by hand; hookyard routes resume crm)" in screen.readouterr().err


def test_routes_as_they_stand(worked: Yard, screen: Screen) -> None:
    worked.accept(ORDER)
    assert run(["routes", "pause", "orders"]) == 0
    screen.readouterr()
    assert run(["routes", "--json"]) == 0
    told = {one["route"]: one for one in lines(screen)}
    assert (told["orders"]["backlog"], told["orders"]["paused"]) == (1, "paused by hand")
    assert told["orders"]["last_ten_minutes"]["delivered"] == 2
    assert (told["crm"]["dead"], told["later"]["last_ten_minutes"]["retried"]) == (1, 1)
    assert run(["routes"]) == 0
    shown = screen.readouterr().out
    assert "orders is paused: paused by hand" in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert run(["routes", "resume", "orders"]) == 0
    assert run(["routes", "resume", "orders"]) == 0
    assert screen.readouterr().out == "orders goes on.\norders was not paused.\n"
    worked.settle()
    assert listed(screen, "--status", "delivered") == ["msg_6", "msg_5", "msg_1"]
