"""Conditions in FQL on messages as they come in, by both ways."""

from dataclasses import replace

import pytest

from receiver.core.fql import compile_fql
from receiver.core.routes import Config, Route
from tests.support.http_side import HttpSide, config
from tests.support.tracking import batch, keyed, post

TRACK = {"type": "track", "event": "Order Completed", "userId": "u"}
WHERES = {
    "big": "type = 'track' and properties.revenue >= 100",
    "of-library": "context.library.name = 'my-lib'",
    "sent-late": "typeof( receivedAt ) = 'string' and originalTimestamp != null",
}


@pytest.fixture
def side() -> HttpSide:
    return HttpSide(configured=configured())


def configured() -> Config:
    routes = {
        name: Route(name=name, where=compile_fql(where), steps=(), retry=()) for name, where in WHERES.items()
    }
    return replace(config(), routes=routes)


def routes(side: HttpSide) -> list[tuple[str, ...]]:
    return [message.routes for message in side.recorder.messages]


def test_webhooks_go_to_the_routes_whose_condition_is_true(side: HttpSide) -> None:
    bodies = (
        b'{"type":"track","event":"A","userId":"u","properties":{"revenue":100.0}}',
        b'{"type":"track","event":"A","userId":"u","properties":{"revenue":"100"}}',
        b'{"type":"page","name":"\\ud83d","userId":"u","context":{"library":{"name":"my-lib"}}}',
    )
    assert side.send(b"[" + b",".join(bodies) + b"]").status == 200
    assert routes(side) == [("big",), (), ("of-library",)]


def test_calls_of_the_tracking_api_are_judged_as_they_are_stored(side: HttpSide) -> None:
    """The type comes from the path, and `receivedAt` from us."""
    message = {name: value for name, value in TRACK.items() if name != "type"}
    assert post(side, "track", keyed({**message, "properties": {"revenue": 250}})).status == 200
    assert routes(side) == [("big", "sent-late")]


def test_each_message_of_a_batch_is_judged_alone(side: HttpSide) -> None:
    some = [{**TRACK, "properties": {"revenue": revenue}} for revenue in (5, 500)]
    assert post(side, "batch", batch(*some)).status == 200
    assert routes(side) == [("sent-late",), ("big", "sent-late")]
