"""What Hookyard sent to Segment and what comes back: known again, and not sent round for ever."""

import json
from typing import Any

import pytest

from receiver.core.steps.base import Spec
from receiver.core.steps.handler import HandlerSpec
from receiver.core.steps.segment import SegmentSpec
from tests.support.outbound import a_message, run_step
from tests.support.segment_stand_in import SegmentStandIn
from workers.outcome import Done, Drop, Outcome


def track(**fields: str) -> SegmentSpec:
    return SegmentSpec(connection="crm", call="track", fields={"event": "Seen", **fields})


TRACK = track(userId="{{ userId }}")
KEEPING = track(userId="u1", context="{{ context }}")


def handler(name: str) -> Spec:
    return HandlerSpec(target=f"tests.support.handlers_under_test:{name}")


def send(server: SegmentStandIn, body: Any, spec: Spec = TRACK, **connection: Any) -> Outcome:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return run_step(spec, a_message(raw), segment_url=server.url, connection=connection)


def after(hops: Any) -> dict[str, Any]:
    return {"userId": "u1", "context": {"ip": "192.0.2.1", "hookyard": {"hops": hops}}}


@pytest.mark.parametrize("spec", [TRACK, handler("track_async"), handler("track_sync")])
def test_what_is_sent_carries_a_mark_and_comes_no_further_than_once(spec: Spec) -> None:
    with SegmentStandIn() as server:
        assert isinstance(send(server, {"userId": "u1"}, spec), Done)
        sent = list(server.items)
        assert {item["context"]["hookyard"]["hops"] for item in sent} == {1}
        dropped = send(server, sent[0], spec)
        assert server.items == sent
    assert isinstance(dropped, Drop)
    assert dropped.code == "segment_loop"
    assert "once already" in dropped.reason
    assert "max_hops of the connection crm" in dropped.reason


def test_the_limit_is_the_connections() -> None:
    with SegmentStandIn() as server:
        assert isinstance(send(server, after(1), max_hops=3), Done)
        assert isinstance(send(server, after(2), max_hops=3), Done)
        dropped = send(server, after(3), max_hops=3)
        assert [item["context"]["hookyard"] for item in server.items] == [{"hops": 2}, {"hops": 3}]
    assert isinstance(dropped, Drop)
    assert "3 times already" in dropped.reason


def test_the_users_own_context_goes_along() -> None:
    with SegmentStandIn() as server:
        send(server, after(1), KEEPING, max_hops=2)
        (item,) = server.items
    assert item["context"]["ip"] == "192.0.2.1"
    assert item["context"]["hookyard"] == {"hops": 2}


@pytest.mark.parametrize("hops", ["9", -3, True, None, [5], {"hops": 9}, 0.5])
def test_a_mark_that_is_not_ours_stops_nothing(hops: Any) -> None:
    with SegmentStandIn() as server:
        assert isinstance(send(server, after(hops)), Done)
        assert server.items[0]["context"]["hookyard"] == {"hops": 1}


@pytest.mark.parametrize("hops", [1e300, 10**400, 2])
def test_a_mark_without_bounds_is_only_a_large_one(hops: Any) -> None:
    with SegmentStandIn() as server:
        assert isinstance(send(server, after(hops)), Drop)
        assert server.items == []


def test_a_handler_may_go_on_without_the_call() -> None:
    with SegmentStandIn() as server:
        assert send(server, after(1), handler("track_or_say_so")) == Done("segment_loop")
