"""What one Hookyard sends, another takes by its tracking API: equal, field by field."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from receiver.core.routes import Config, Source, SourcePath
from receiver.core.settings import Secret
from receiver.core.steps.segment import SegmentSpec
from tests.support.http_side import HttpSide, served
from tests.support.outbound import a_message, output, run_step
from tests.support.segment_stand_in import SegmentStandIn

ADDED = {"channel", "originalTimestamp", "receivedAt", "sentAt", "timestamp", "version"}
"""What a server adds to a message on its way in, as Segment does."""
ODD = {
    "text": 'äöü € 😀 \u2028 \x7f \\ " </script>',
    "big": 12345678901234567890123,
    "small": -0.000001,
    "float": 19.99,
    "nothing": None,
    "empty": {"": [], "list": [[], {}, [None]]},
    "key with spaces": True,
}
CALLS: dict[str, dict[str, Any]] = {
    "identify": {"traits": {"address": {"city": "Zürich"}, "age": 40, "custom": ODD}},
    "track": {"event": "Order Completed", "properties": {"revenue": 19.99, "currency": "EUR", **ODD}},
    "page": {"name": "Home", "category": "Docs", "properties": ODD},
    "screen": {"name": "Cart", "properties": ODD},
    "group": {"groupId": "g-1", "traits": {"employees": 5, **ODD}},
    "alias": {"previousId": "old-1"},
}
COMMON = {
    "userId": "0123",
    "timestamp": "2026-01-01T12:00:00.123Z",
    "context": {"ip": "192.0.2.1", "locale": "de-CH", "app": ODD},
    "integrations": {"All": False, "Mixpanel": {"id": 1}},
}


@pytest.fixture(scope="module")
def other() -> Iterator[tuple[HttpSide, str]]:
    """Another Hookyard, whose source `web` has the write key of `crm`, and its address."""
    web = Source(name="web", verify=(), paths={}, write_keys=(Secret("key"),))
    place = SourcePath(source=web, path="/v1/web")
    config = Config(
        sources={"web": web}, connections={}, routes={}, version="test", paths={}, tracking={"/v1/web": place}
    )
    side = HttpSide(configured=config)
    with served(side.app) as url:
        yield side, url


def sent(call: str, fields: dict[str, Any], url: str) -> Any:
    """What the step says it sent."""
    spec = SegmentSpec(connection="crm", call=call, fields=fields)  # type: ignore[arg-type]
    return output(run_step(spec, a_message({}), segment_url=url))


@pytest.mark.parametrize("call", CALLS)
def test_every_field_of_every_call_arrives(call: str, other: tuple[HttpSide, str]) -> None:
    side, url = other
    side.recorder.messages.clear()
    with SegmentStandIn() as segment:
        assert sent(call, COMMON | CALLS[call], segment.url) == sent(call, COMMON | CALLS[call], url)
        (expected,) = segment.items
    (message,) = side.recorder.messages
    arrived = json.loads(message.body)
    assert {name: arrived[name] for name in expected if name != "timestamp"} == {
        name: value for name, value in expected.items() if name != "timestamp"
    }
    assert arrived.keys() - expected.keys() <= ADDED
    assert arrived["originalTimestamp"] == expected["timestamp"]
    assert message.message_id == expected["messageId"]


def test_the_calls_of_a_batch_arrive_in_their_order(other: tuple[HttpSide, str]) -> None:
    side, url = other
    side.recorder.messages.clear()
    items = [{"type": call, **COMMON, **fields} for call, fields in CALLS.items()]
    ids = sent("batch", {"batch": items}, url)["messageIds"]
    arrived = [json.loads(body) for body in side.recorder.bodies]
    assert [message["messageId"] for message in arrived] == ids
    assert [message["type"] for message in arrived] == list(CALLS)
    assert all(message["context"]["app"] == ODD for message in arrived)
