"""/livez, /readyz and /metrics."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from receiver import health
from receiver.core.errors import StoreUnavailable
from receiver.core.metrics import Metrics
from receiver.health import Check
from tests.support.http_side import ADMIN_TOKEN, HttpSide
from tests.support.sender import Answer

DETAIL = {"authorization": f"Bearer {ADMIN_TOKEN}"}


async def fine() -> str | None:
    return None


async def weak() -> str | None:
    return "appendfsync is everysec: set it to always"


async def down() -> str | None:
    raise StoreUnavailable("Redis does not answer")


async def buggy() -> str | None:
    raise KeyError("oops")


async def hanging() -> str | None:
    await asyncio.Event().wait()
    return None


def ready(*checks: Check, headers: dict[str, str] | None = None) -> Answer:
    return HttpSide(checks=checks).send(path="/readyz", method="GET", headers=headers or {})


def test_livez_asks_nothing() -> None:
    answer = HttpSide(checks=[Check("store", down)]).send(path="/livez", method="GET", headers={})
    assert (answer.status, answer.json()) == (200, {"success": True})


def test_ready_when_every_check_holds() -> None:
    answer = ready(Check("store", fine), Check("durable", fine))
    assert (answer.status, answer.json()) == (200, {"success": True})


@pytest.mark.parametrize("check", [weak, down, buggy])
def test_one_failing_check_is_enough_and_strangers_see_no_detail(
    check: Callable[[], Awaitable[str | None]],
) -> None:
    answer = ready(Check("store", fine), Check("durable", check))
    assert (answer.status, answer.code) == (503, "not_ready")
    assert answer.headers["retry-after"] == "1"
    assert answer.json().keys() == {"success", "code", "message"}
    assert "durable" not in answer.body.decode()


def test_the_admin_sees_what_each_check_found() -> None:
    checks = [Check("store", down), Check("durable", weak), Check("not full", fine), Check("config", buggy)]
    answer = ready(*checks, headers=DETAIL)
    assert answer.status == 503
    assert answer.json()["message"] == "Not ready: store, durable, config."
    assert answer.json()["checks"] == {
        "store": "Redis does not answer",
        "durable": "appendfsync is everysec: set it to always",
        "not full": "ok",
        "config": "the check itself failed: KeyError",
    }
    assert ready(Check("store", fine), headers=DETAIL).json() == {"success": True, "checks": {"store": "ok"}}


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", f"Basic {ADMIN_TOKEN}", "Bearer \xe9"])
def test_no_detail_without_the_token(given: str) -> None:
    assert "checks" not in ready(Check("store", fine), headers={"authorization": given}).json()


def test_no_token_set_means_no_detail_for_anybody() -> None:
    side = HttpSide(checks=[Check("store", fine)], admin_token=None)
    assert side.send(path="/readyz", method="GET", headers={"authorization": "Bearer "}).json() == {
        "success": True
    }


def test_a_check_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CHECK_TIMEOUT_S", 0.01)
    answer = ready(Check("store", hanging), headers=DETAIL)
    assert answer.json()["checks"]["store"].startswith("no answer within")


def test_metrics_asks_the_store_first() -> None:
    async def refresh(metrics: Metrics) -> None:
        metrics.replace("hookyard_backlog", {("orders",): 3})

    answer = HttpSide(refreshes=[refresh]).send(path="/metrics", method="GET", headers={})
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert 'hookyard_backlog{route="orders"} 3.0' in answer.body.decode()


def test_metrics_are_shown_without_a_store_too(caplog: pytest.LogCaptureFixture) -> None:
    async def refresh(metrics: Metrics) -> None:
        raise StoreUnavailable("Redis does not answer")

    answer = HttpSide(refreshes=[refresh]).send(path="/metrics", method="GET", headers={})
    assert answer.status == 200
    assert "gauges not up to date" in caplog.text


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
def test_these_pages_are_read_only(path: str) -> None:
    answer = HttpSide().send(path=path, method="POST", headers={})
    assert (answer.status, answer.code) == (405, "method_not_allowed")
    assert "GET" in answer.headers["allow"]


def test_what_is_not_vital_is_shown_and_keeps_no_traffic_away() -> None:
    answer = ready(Check("store", fine), Check("routes.yaml", weak, vital=False), headers=DETAIL)
    assert (answer.status, answer.json()["success"]) == (200, True)
    assert answer.json()["checks"]["routes.yaml"].startswith("appendfsync")
