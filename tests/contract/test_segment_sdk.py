"""The same calls by segment-analytics-python and by Hookyard's handlers: same fields, same meaning."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from segment.analytics.client import Client

from receiver.core.segment.fields import CALLS
from tests.support.outbound import a_context, a_message, with_tools
from tests.support.segment_stand_in import SegmentStandIn
from workers.segment import SegmentConnection
from workers.toolbox import Toolbox

PAST = datetime(2024, 6, 10, 6, 15, 0, 250_000, tzinfo=UTC)
COMMON: dict[str, Any] = {
    "timestamp": PAST,
    "context": {"ip": "198.51.100.7", "page": {"path": "/a"}},
    "integrations": {"All": False, "Mixpanel": True},
    "message_id": "id-1",
}
BOTH = {"user_id": 42, "anonymous_id": "a-1"}
TRAITS = {
    "name": "Zoë 😀",
    "firstName": "Zoë",
    "lastName": "Z",
    "age": 42,
    "address": {"city": "Wien", "postalCode": "1010"},
    "company": {"id": 7, "employee_count": 12},
    "createdAt": PAST,
    "none": None,
    "list": [1, {"a": []}],
}
PROPERTIES = {"revenue": 19.99, "currency": "EUR", "price": Decimal("0.5"), "big": 2**70, "at": PAST}
ARGUMENTS: list[tuple[str, dict[str, Any]]] = [
    ("identify", {"user_id": "u"}),
    ("identify", {**BOTH, "traits": TRAITS, **COMMON}),
    ("track", {"anonymous_id": "a", "event": "Seen"}),
    ("track", {**BOTH, "event": "Order Completed", "properties": PROPERTIES, **COMMON}),
    ("page", {"user_id": "u"}),
    ("page", {**BOTH, "name": "Home", "category": "Docs", "properties": {"title": "Hello"}, **COMMON}),
    ("screen", {"user_id": "u", "name": "Cart"}),
    ("screen", {**BOTH, "name": "Cart", "category": "Shop", "properties": {"name": "Cart"}, **COMMON}),
    ("group", {"user_id": "u", "group_id": "g"}),
    ("group", {**BOTH, "group_id": 7, "traits": {"employees": 12, "plan": "pro"}, **COMMON}),
    ("alias", {"previous_id": "p", "user_id": "u"}),
    ("alias", {"previous_id": 1, "user_id": 2, **COMMON}),
]


def theirs(call: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """What the library would send, as a receiver reads it."""
    client = Client("key", send=False)
    _, message = getattr(client, call)(**json_copy(arguments))
    told: dict[str, Any] = json.loads(json.dumps(message, default=datetime.isoformat))
    assert told["context"].pop("library")["name"] == "analytics-python"
    if "timestamp" not in arguments:
        del told["timestamp"]  # the library says when it was called, which Segment assumes anyway
    return told


def json_copy(value: Any) -> Any:
    """The library changes what it is given."""
    return {name: json_copy(inner) for name, inner in value.items()} if isinstance(value, dict) else value


def ours(calls: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """What Segment got."""

    async def work(tools: Toolbox) -> None:
        connection: SegmentConnection = a_context(tools, a_message()).segment("crm")
        for call, arguments in calls:
            await getattr(connection, call)(**arguments)

    with SegmentStandIn() as server:
        with_tools(work, segment_url=server.url)
        assert server.dropped == []
        return server.items


def meant(message: dict[str, Any]) -> dict[str, Any]:
    """Without what says nothing (null, and objects without members), and with times as such."""
    read = {name: value for name, value in message.items() if value is not None and value != {}}
    for name in ("groupId", "previousId"):  # which the library sends as it gets them, unlike other ids
        if name in read:
            read[name] = str(read[name])
    if "timestamp" in read:
        read["timestamp"] = _time(read["timestamp"])
    for container in ("traits", "properties"):
        if container in read:
            read[container] = {name: _time(value) for name, value in read[container].items()}
    return read


def _time(value: Any) -> Any:
    is_time = isinstance(value, str) and value.startswith("2024-06-10T")
    return datetime.fromisoformat(value) if is_time else value


def test_every_call_is_compared() -> None:
    assert {call for call, _ in ARGUMENTS} == set(CALLS)


def test_the_same_calls_say_the_same() -> None:
    sent = ours(ARGUMENTS)
    assert len(sent) == len(ARGUMENTS)
    for (call, arguments), message in zip(ARGUMENTS, sent, strict=True):
        assert message["context"].pop("library")["name"] == "hookyard"
        assert message["context"].pop("hookyard") == {"hops": 1}
        expected = theirs(call, arguments)
        if "message_id" not in arguments:
            assert message.pop("messageId").startswith("hookyard-")
            del expected["messageId"]
        assert meant(message) == meant(expected), call
