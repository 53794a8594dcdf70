"""Segment steps as routes.yaml writes them, and what arrives at Segment."""

from typing import Any

import pytest

from receiver.core.routes_file import parse
from receiver.core.segment.calls import encode
from tests.support.destination import Answer
from tests.support.outbound import a_context, a_message, output, with_tools
from tests.support.segment_stand_in import SegmentStandIn
from workers import steps
from workers.api import InvalidSegmentCall
from workers.outcome import Dead, Outcome, Retry
from workers.segment_batch import send_all
from workers.toolbox import Toolbox

BODY: dict[str, Any] = {
    "type": "track",
    "event": "Order Completed",
    "userId": "person_D97F88AD-E835-4565-AD1A-9F75C5C381F6",
    "anonymousId": "session-1",
    "timestamp": "2026-05-01T12:00:00.000Z",
    "properties": {"order_id": "o-1", "total": "19.99", "items": [{"sku": "a"}, {"sku": "b"}]},
    "traits": {"firstName": "Ada", "lastName": "Lovelace", "phone": 4312345, "plan": "pro"},
}
USER = BODY["userId"]
ROUTES = """
sources: {{s: {{verify: {{scheme: none}}}}}}
connections:
  crm: {{write_key_env: KEY}}
routes:
  r:
    steps:
      - segment: {{connection: crm, {fields}}}
"""


def run(
    server: SegmentStandIn, fields: str, body: Any = None, rate_limit: float | None = None, **context: Any
) -> Outcome:
    """One attempt of a segment step with these fields of routes.yaml, for BODY."""
    config = parse(ROUTES.format(fields=fields), file="f", environ={"KEY": "key"})
    message = a_message(BODY if body is None else body)

    async def work(tools: Toolbox) -> Outcome:
        step = steps.build(config.routes["r"].steps[0], tools)
        return await step.run(message, a_context(tools, message, **context))

    return with_tools(work, segment_url=server.url, rate_limit=rate_limit)


def arrived(fields: str, body: Any = None) -> list[dict[str, Any]]:
    """What Segment got, without what every message holds."""
    with SegmentStandIn() as server:
        said = output(run(server, fields, body))
        assert server.dropped == []
        ids = said["messageIds"] if "messageIds" in said else [said["messageId"]]
        assert [item.pop("messageId") for item in server.items] == ids
        for item in server.items:
            assert item["context"].pop("library")["name"] == "hookyard"
            assert item["context"].pop("hookyard") == {"hops": 1}
        return server.items


def one(fields: str, body: Any = None) -> dict[str, Any]:
    (item,) = arrived(fields, body)
    if not item["context"]:
        del item["context"]
    return item


def refused(fields: str, body: Any = None) -> Dead:
    """A call that is not even sent."""
    with SegmentStandIn() as server:
        outcome = run(server, fields, body)
        assert server.requests == []
    assert isinstance(outcome, Dead)
    return outcome


def test_identify_with_all_17_traits() -> None:
    fields = """
        call: identify, userId: "{{ userId }}", traits: {plan: "{{ traits.plan }}"}, custom: {tier: gold},
        address: {city: Wien, country: Austria, postalCode: 1010, state: Vienna, street: Am Hof 1, floor: 3},
        age: "36", avatar: "https://example.com/a.png", birthday: "1815-12-10",
        company: {name: Engines, id: 7, industry: Computing, employee_count: "12", plan: "{{ traits.plan }}"},
        createdAt: "2026-01-01T00:00:00Z", description: Countess, email: ada@example.com,
        firstName: "{{ traits.firstName }}", gender: female, id: 1815, lastName: "{{ traits.lastName }}",
        phone: "{{ traits.phone }}", title: Analyst, username: ada, website: "https://example.com"
    """
    assert one(fields) == {
        "type": "identify",
        "userId": USER,
        "traits": {
            "plan": "pro",
            "tier": "gold",
            "address": {
                **{"city": "Wien", "country": "Austria", "postalCode": "1010", "state": "Vienna"},
                **{"street": "Am Hof 1", "floor": 3},
            },
            "age": 36,
            "avatar": "https://example.com/a.png",
            "birthday": "1815-12-10",
            "company": {
                **{"name": "Engines", "id": 7, "industry": "Computing", "employee_count": 12, "plan": "pro"}
            },
            "createdAt": "2026-01-01T00:00:00Z",
            "description": "Countess",
            "email": "ada@example.com",
            "firstName": "Ada",
            "gender": "female",
            "id": "1815",
            "lastName": "Lovelace",
            "name": "Ada Lovelace",
            "phone": "4312345",
            "title": "Analyst",
            "username": "ada",
            "website": "https://example.com",
        },
    }


def test_track_with_money() -> None:
    fields = """
        call: track, event: "Booked {{ event }}", userId: "{{ userId }}", anonymousId: "{{ anonymousId }}",
        timestamp: "{{ timestamp }}", revenue: "{{ properties.total }}", value: 3,
        properties: {order: "{{ properties.order_id }}"}, custom: {tier: gold}
    """
    assert one(fields) == {
        "type": "track",
        "event": "Booked Order Completed",
        "userId": USER,
        "anonymousId": "session-1",
        "timestamp": "2026-05-01T12:00:00.000Z",
        "properties": {"order": "o-1", "tier": "gold", "revenue": 19.99, "currency": "USD", "value": 3},
    }


def test_page_screen_group_and_alias() -> None:
    user = 'userId: "{{ userId }}"'
    page = f'call: page, {user}, name: Home, category: Docs, path: /a, url: "https://example.com/a", '
    more = "title: Welcome, referrer: '', search: '?q=1', keywords: [a, b], properties: {name: H}"
    assert one(page + more) == {
        "type": "page",
        "userId": USER,
        "name": "Home",
        "category": "Docs",
        "properties": {
            **{"path": "/a", "url": "https://example.com/a", "title": "Welcome", "referrer": ""},
            **{"search": "?q=1", "keywords": ["a", "b"], "name": "H"},
        },
    }
    assert one(f"call: screen, {user}, name: Cart, properties: {{items: 2}}") == {
        **{"type": "screen", "userId": USER, "name": "Cart", "properties": {"items": 2}}
    }
    assert one(f'call: group, {user}, groupId: acme, name: Acme, employees: "12", plan: pro') == {
        "type": "group",
        "userId": USER,
        "groupId": "acme",
        "traits": {"name": "Acme", "employees": "12", "plan": "pro"},
    }
    assert one('call: alias, userId: "{{ userId }}", previousId: "{{ anonymousId }}"') == {
        **{"type": "alias", "userId": USER, "previousId": "session-1"}
    }


def test_context_and_integrations_go_along() -> None:
    item = one(
        'call: identify, userId: u, context: {ip: 192.0.2.1, locale: "{{ x.y }}"}, '
        "integrations: {All: false, Mixpanel: {a: 1}}"
    )
    assert item["context"] == {"ip": "192.0.2.1", "locale": None}
    assert item["integrations"] == {"All": False, "Mixpanel": {"a": 1}}


BATCH = """
    call: batch, context: {ip: 192.0.2.1}, batch: [
        {type: identify, userId: "{{ userId }}", email: ada@example.com},
        {type: track, anonymousId: {generate: true}, event: Seen, value: "7"},
        {type: page, anonymousId: {generate: true}, name: Home},
        {type: screen, userId: u, name: Cart}, {type: group, userId: u, groupId: g, name: Acme},
        {type: alias, userId: u, previousId: p}
    ]
"""


def test_a_batch_of_every_call() -> None:
    items = arrived(BATCH)
    assert [item["type"] for item in items] == ["identify", "track", "page", "screen", "group", "alias"]
    assert all(item["context"] == {"ip": "192.0.2.1"} for item in items)
    assert items[0]["traits"] == {"email": "ada@example.com"}
    assert items[1]["properties"] == {"value": 7}
    assert items[1]["anonymousId"] == items[2]["anonymousId"]


def test_a_batch_made_by_a_template() -> None:
    calls = [{"type": "track", "userId": "u", "event": name} for name in ("A", "B")]
    fields = 'call: batch, batch: "{{ properties.calls }}"'
    assert [item["event"] for item in arrived(fields, {"properties": {"calls": calls}})] == ["A", "B"]
    dead = refused(fields, {"properties": {"calls": [*calls, {"type": "track"}, 5]}})
    assert dead.code == "invalid_segment_call"
    for place in ("batch[2].event: ", "batch[2].userId, batch[2].anonymousId: ", "batch[3]: "):
        assert place in dead.error
    assert refused(fields, {}).error == "batch: expected a list of calls, got nothing"


def test_a_batch_that_no_attempt_could_finish_is_not_begun() -> None:
    with SegmentStandIn() as server:
        dead = run(server, BATCH, rate_limit=0.1)
        assert server.requests == []
    assert isinstance(dead, Dead)
    assert dead == Dead(
        "invalid_segment_call",
        "batch: 6 calls take 60 s by the rate_limit of crm, 0.1/s, and the step has 30 s: raise its timeout, "
        "or send fewer",
    )


def test_a_batch_of_which_nothing_was_sent_costs_no_attempt() -> None:
    calls = [encode("track", {"userId": "u", "event": name}) for name in ("A", "B")]

    async def twice(tools: Toolbox) -> list[Outcome]:
        sender = tools.segment("crm")
        return [await send_all(sender, calls, ["1", "2"]) for _ in range(2)]

    with SegmentStandIn(Answer(status=429, headers={"Retry-After": "60"})) as server:
        told, waits = with_tools(twice, segment_url=server.url)
        assert len(server.requests) == 1
    assert isinstance(told, Retry)
    assert isinstance(waits, Retry)
    assert (told.code, told.held, waits.code, waits.held) == ("http_429", False, "asked_to_wait", True)


def test_a_batch_keeps_its_ids_and_says_which_call_failed() -> None:
    with SegmentStandIn(refuses=lambda item: item["type"] == "page") as server:
        dead = run(server, BATCH)
        ids = [item["messageId"] for item in server.items]
    with SegmentStandIn(Answer(status=503, headers={"Retry-After": "7"})) as server:
        waits = run(server, BATCH)
        again = output(run(server, BATCH, attempt=2))
    assert isinstance(dead, Dead)
    assert dead.error.startswith("batch[2]: ")
    assert isinstance(waits, Retry)
    assert (waits.code, waits.after_s) == ("http_503", 7.0)
    assert again["messageIds"][:2] == ids[:2]
    assert len(set(again["messageIds"])) == 6


def test_an_anonymous_id_is_made_up_once_a_delivery() -> None:
    made = 'call: identify, anonymousId: {generate: true}, userId: "{{ userId | default(none) }}"'
    with SegmentStandIn() as server:
        for attempt in (1, 2):
            run(server, made, attempt=attempt)
        run(server, made.replace("identify", "track, event: Seen"))
        run(server, made, replay=3)
        first, second, track, replayed = (item["anonymousId"] for item in server.items)
    assert first == second == track != replayed
    assert len(first) == 36
    hostile = refused(
        'call: identify, anonymousId: "{{ properties.x }}"', {"properties": {"x": {"generate": True}}}
    )
    assert "anonymousId" in hostile.error


def test_everything_that_is_wrong_is_told_at_once() -> None:
    dead = refused(
        'call: track, event: "{{ properties.order_id }}", userId: "{{ x | default(none) }}", '
        'timestamp: "{{ event }}", revenue: "{{ event }}", currency: "{{ event }}", '
        'custom: "{{ properties }}"',
        {**BODY, "properties": {"order_id": 7, "value": 1}},
    )
    assert dead.code == "invalid_segment_call"
    assert dead.error == (
        "timestamp: expected ISO 8601 such as 2026-05-01T12:00:00Z, got 'Order Completed'; "
        "event: expected a name, got a number; "
        "userId, anonymousId: one of them is needed; "
        "custom.value: value is a reserved name; move it out of custom; "
        "revenue: expected a number such as 19.99, got 'Order Completed'; "
        "currency: expected a currency of ISO 4217 such as EUR, got 'Order Completed'"
    )


def test_a_handler_sends_batches_and_hears_what_is_wrong() -> None:
    calls = [{"type": "track", "userId": "u", "event": name} for name in ("A", "B")]

    async def work(tools: Toolbox) -> list[str]:
        context = a_context(tools, a_message(BODY)).at("handler")
        crm = context.segment("crm")
        with pytest.raises(InvalidSegmentCall, match=r"batch\[2\]\.event: is required.*batch\[3\]: expected"):
            await crm.batch([*calls, {"type": "track", "userId": "u"}, 5])  # type: ignore[list-item]
        with pytest.raises(
            InvalidSegmentCall, match=r"userId, anonymousId: .*properties\.value: expected a number"
        ):
            await crm.track("Seen", properties={"value": "much"})
        with pytest.raises(TypeError, match=r"page\(\) has no argument usr_id"):
            await crm.page("Home", usr_id="u")  # type: ignore[call-arg]
        ids = await crm.batch(calls, context={"ip": "192.0.2.1"})
        return [*ids, await crm.identify(anonymous_id=context.anonymous_id, message_id="mine")]

    with SegmentStandIn() as server:
        ids = with_tools(work, segment_url=server.url)
        again = with_tools(work, segment_url=server.url)
    assert ids == again == [item["messageId"] for item in server.items[:3]]
    assert ids[2] == "mine"
    assert len(set(ids)) == 3
    assert [item.get("event") for item in server.items[:3]] == ["A", "B", None]
    assert server.items[0]["context"]["ip"] == "192.0.2.1"


@pytest.mark.parametrize(
    "fields",
    [
        'call: track, event: Seen, userId: u, properties: {text: "{{ x }}"}',
        'call: batch, batch: [{type: track, event: Seen, userId: u, properties: {text: "{{ x }}"}}]',
    ],
)
def test_what_is_too_large_is_a_dead_letter_that_names_its_size(fields: str) -> None:
    dead = refused(fields, {"x": "y" * 40_000})
    assert dead.code == "invalid_segment_call"
    assert "the message has 40," in dead.error
    assert "Segment takes 32,768" in dead.error
