"""Calls of Segment's tracking API as they are sent, and all that is wrong with those that are not."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from receiver.core import release
from receiver.core.segment import calls
from receiver.core.segment.calls import MAX_CALL, InvalidCall, encode
from receiver.core.segment.fields import CALLS, GROUP_TRAITS, PROPERTIES, SHAPES, TRAITS, Call
from receiver.core.steps import segment_fields
from receiver.core.steps.segment_fields import CommonFields

NEEDED: dict[Call, dict[str, Any]] = {
    "identify": {"userId": "u"},
    "track": {"userId": "u", "event": "Seen"},
    "page": {"userId": "u"},
    "screen": {"userId": "u"},
    "group": {"userId": "u", "groupId": "g"},
    "alias": {"userId": "u", "previousId": "p"},
}
"""The least that each call takes."""


def sent(call: Call, **fields: Any) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(encode(call, {**NEEDED[call], **fields}).item("id-1"))
    return decoded


def problems(call: Call, **fields: Any) -> tuple[str, ...]:
    with pytest.raises(InvalidCall) as caught:
        encode(call, {**NEEDED[call], **fields}).item("id-1")
    return caught.value.problems


def test_a_track_call() -> None:
    call = sent(
        "track",
        event="Order Completed",
        userId=42,
        anonymousId=None,
        properties={"revenue": "39.95", "currency": "eur", "value": 3},
        timestamp=datetime(2026, 5, 1, tzinfo=UTC),
        context={"ip": "192.0.2.1"},
        integrations={"All": False, "Mixpanel": {"a": 1}},
    )
    library = call["context"].pop("library")
    assert library["name"] == "hookyard"
    assert call == {
        "messageId": "id-1",
        "type": "track",
        "userId": "42",
        "event": "Order Completed",
        "timestamp": "2026-05-01T00:00:00+00:00",
        "properties": {"revenue": 39.95, "currency": "EUR", "value": 3},
        "context": {"ip": "192.0.2.1"},
        "integrations": {"All": False, "Mixpanel": {"a": 1}},
    }


@pytest.mark.parametrize("call", CALLS)
def test_the_least_of_each_call(call: Call) -> None:
    assert sent(call).items() >= {"type": call, "messageId": "id-1", **NEEDED[call]}.items()
    assert not {"timestamp", "traits", "properties", "custom"} & sent(call).keys()


@pytest.mark.parametrize("call", CALLS)
def test_what_each_call_needs_is_told_at_once(call: Call) -> None:
    with pytest.raises(InvalidCall) as caught:
        encode(call, {})
    needed = [name for name in NEEDED[call] if name != "userId" or call == "alias"]
    said = [*(f"{name}: is required by {call} calls" for name in needed)]
    assert sorted(caught.value.problems) == sorted(
        said if call == "alias" else [*said, "userId, anonymousId: one of them is needed"]
    )


@pytest.mark.parametrize("call", CALLS)
def test_every_call_has_its_model_in_routes_yaml(call: Call) -> None:
    model: type[CommonFields] = getattr(segment_fields, f"{call.capitalize()}Fields")
    assert set(model.model_fields) == SHAPES[call].known - {"messageId"}


def test_the_reserved_names_are_those_of_the_spec() -> None:
    assert (len(TRAITS), len(GROUP_TRAITS), len(PROPERTIES)) == (17, 12, 3)
    assert set(TRAITS["address"].inside) == {"city", "country", "postalCode", "state", "street"}
    assert set(TRAITS["company"].inside) == {"name", "id", "industry", "employee_count", "plan"}
    of_page = {"name", "path", "referrer", "search", "title", "url", "keywords"}
    assert set(SHAPES["page"].reserved) == of_page


def test_reserved_names_stand_flat_inside_and_with_custom_ones() -> None:
    call = sent("identify", email="x@example.com", traits={"age": "42"}, custom={"tier": "gold"}, phone=None)
    assert call["traits"] == {"age": 42, "tier": "gold", "email": "x@example.com"}
    assert "email" not in call
    assert (
        sent("page", name="Home", title="Welcome", properties={"name": "x"}).items()
        >= {
            "name": "Home",
            "properties": {"title": "Welcome", "name": "x"},
        }.items()
    )


def test_both_places_at_once_are_an_error_and_so_are_clashes() -> None:
    assert problems(
        "track", revenue=1, properties={"revenue": 2, "tier": 1}, custom={"tier": 2, "Value": 3}
    ) == (
        "custom.tier: stands here and inside properties; keep one of them",
        "custom.Value: value is a reserved name; move it out of custom",
        "revenue: stands here and inside properties; keep one of them",
    )
    assert problems("group", custom={"NAME": 1}) == (
        "custom.NAME: name is a reserved name; move it out of custom",
    )
    assert problems("identify", custom={"first_name": 1}) == (
        "custom.first_name: firstName is a reserved name; move it out of custom",
    )


@pytest.mark.parametrize(
    ("traits", "name"),
    [
        ({"firstName": "Ada", "lastName": "Lovelace"}, "Ada Lovelace"),
        ({"first_name": "Ada", "last_name": "Lovelace"}, "Ada Lovelace"),
        ({"firstName": "Ada", "lastName": "Lovelace", "name": "Countess"}, "Countess"),
        ({"firstName": "Ada"}, None),
    ],
)
def test_the_full_name_is_made_of_both(traits: dict[str, str], name: str | None) -> None:
    assert sent("identify", traits=traits)["traits"].get("name") == name
    assert "name" not in sent("group", traits={"firstName": "A", "lastName": "B"})["traits"]


def test_revenue_is_in_dollars_unless_it_is_said() -> None:
    assert sent("track", revenue="19.99")["properties"] == {"revenue": 19.99, "currency": "USD"}
    assert sent("track", properties={"revenue": 5, "currency": None})["properties"]["currency"] == "USD"
    assert sent("track", revenue=5, currency="CHF")["properties"]["currency"] == "CHF"
    assert "currency" not in sent("track", value=5)["properties"]
    assert "currency" not in sent("page", properties={"revenue": 5})["properties"]


@pytest.mark.parametrize(
    ("given", "number"),
    [("19.99", 19.99), ("20", 20), ("-1e3", -1000.0), (Decimal("0.10"), 0.1), (2**70, 2**70), (0, 0)],
)
def test_decimal_numbers(given: Any, number: float) -> None:
    assert sent("track", value=given)["properties"] == {"value": number}


@pytest.mark.parametrize(
    "given",
    [
        "",
        "a lot",
        "$19.99",
        "1,5",
        "1_000",
        " 1",
        "٣",
        "1e999",
        "0x10",
        "9" * 41,
        True,
        [1],
        float("nan"),
    ],
)
def test_what_is_no_number(given: Any) -> None:
    (problem,) = problems("track", value=given)
    assert problem.startswith("value: expected a number such as 19.99, got ")


def test_objects_have_fields_with_types() -> None:
    call = sent(
        "identify",
        address={"city": "Wien", "postalCode": 1010, "floor": 3},
        company={"id": 7, "employee_count": "12", "name": None},
        createdAt=date(2026, 1, 2),
        birthday=datetime(1815, 12, 10, tzinfo=UTC),
    )
    assert call["traits"] == {
        "address": {"city": "Wien", "postalCode": "1010", "floor": 3},
        "company": {"id": 7, "employee_count": 12, "name": None},
        "createdAt": "2026-01-02",
        "birthday": "1815-12-10T00:00:00+00:00",
    }
    assert problems("identify", address="Wien", company={"employee_count": "few", "plan": {}}) == (
        "address: expected an object, got 'Wien'",
        "company.employee_count: expected a number such as 19.99, got 'few'",
        "company.plan: expected text, got an object",
    )
    assert sent("page", keywords=["a", 1])["properties"] == {"keywords": ["a", "1"]}
    assert problems("page", keywords="a, b") == ("keywords: expected a list of texts, got 'a, b'",)


def test_a_time_without_a_zone_is_utc() -> None:
    naive = datetime(2026, 5, 1, tzinfo=UTC).replace(tzinfo=None)
    assert sent("identify", timestamp=naive)["timestamp"] == "2026-05-01T00:00:00+00:00"
    assert sent("identify", timestamp="2026-05-01T12:00:00.123456789Z")["timestamp"].endswith("789Z")


def test_an_update_does_not_change_what_a_call_says(monkeypatch: pytest.MonkeyPatch) -> None:
    def content() -> bytes:
        calls._library.cache_clear()
        return encode("track", {**NEEDED["track"], "context": {"ip": "192.0.2.1"}}).content

    before = content()
    with monkeypatch.context() as patched:
        patched.setattr(release, "number", lambda: "99.0.0")
        assert content() == before
    calls._library.cache_clear()
    assert b"hookyard" not in before
    assert b"192.0.2.1" in before


def test_the_library_of_the_call_wins() -> None:
    context = {"library": {"name": "mine"}}
    assert sent("identify", context=context)["context"] == context


def test_all_problems_are_told_at_once_each_with_its_field() -> None:
    with pytest.raises(InvalidCall) as caught:
        encode(
            "track",
            {"event": " ", "properties": [1], "timestamp": "yesterday", "context": "x", "integrations": 3},
        )
    assert caught.value.problems == (
        "timestamp: expected ISO 8601 such as 2026-05-01T12:00:00Z, got 'yesterday'",
        "context: expected an object, got 'x'",
        "integrations: expected an object of booleans and objects, such as {All: false}, got a number",
        "event: expected a name, got ' '",
        "userId, anonymousId: one of them is needed",
        "properties: expected an object, got a list",
    )


@pytest.mark.parametrize(
    ("call", "fields", "says"),
    [
        ("track", {"userId": True}, "userId: expected text or a number, got a boolean"),
        ("track", {"userId": {"id": 1}}, "userId: expected text or a number, got an object"),
        ("track", {"event": 3}, "event: expected a name, got a number"),
        ("track", {"timestamp": 1589068489}, "timestamp: expected ISO 8601"),
        ("track", {"currency": "EURO"}, "currency: expected a currency of ISO 4217 such as EUR, got 'EURO'"),
        ("track", {"integrations": {"All": "false"}}, "integrations: expected an object of booleans"),
        ("track", {"evnt": "x"}, "evnt: track calls have no such field; did you mean event?"),
        ("track", {"traits": {}}, "traits: track calls have no such field"),
        ("track", {"properties": {"x": object()}}, "a value cannot be said in JSON"),
        ("group", {"groupId": "g" * 501}, "groupId: expected text of 1 to 500 characters"),
        ("page", {"name": ["x"]}, "name: expected text, got a list"),
        ("identify", {"messageId": ""}, "messageId: expected text of 1 to 100 characters"),
        ("identify", {"messageId": "x" * 101}, "messageId: expected text of 1 to 100 characters"),
    ],
)
def test_what_segment_would_drop_is_refused(call: Call, fields: dict[str, Any], says: str) -> None:
    (problem,) = problems(call, **fields)
    assert says in problem


def test_an_empty_text_is_as_if_it_were_not_there() -> None:
    assert "name" not in sent("page", name="", anonymousId="")
    assert problems("track", event="") == ("event: is required by track calls",)


def test_a_call_of_32_kib_fits_and_one_byte_more_does_not() -> None:
    empty = len(encode("identify", {"userId": "u", "traits": {"x": ""}}).item("id-1"))
    room = MAX_CALL - empty
    assert sent("identify", traits={"x": "y" * room})["type"] == "identify"
    (problem,) = problems("identify", traits={"x": "y" * (room + 1)})
    assert problem == "the message has 32,769 bytes, Segment takes 32,768"


def test_a_call_may_bring_its_own_message_id() -> None:
    assert sent("identify", messageId="mine")["messageId"] == "mine"


def test_a_lone_surrogate_does_not_stop_a_call() -> None:
    assert sent("identify", traits={"description": "\ud83d"})["traits"] == {"description": "\ud83d"}
    assert problems("track", value="\ud83d") == ("value: expected a number such as 19.99, got '\\ud83d'",)


def test_what_it_was_given_is_not_changed() -> None:
    traits = {"age": "42", "address": {"postalCode": 1010}}
    context = {"ip": "192.0.2.1"}
    sent("identify", traits=traits, context=context)
    assert (traits, context) == ({"age": "42", "address": {"postalCode": 1010}}, {"ip": "192.0.2.1"})
