"""Batches: calls of any kind, checked together."""

import json
from typing import Any

import pytest

from receiver.core.segment.batches import encode_batch
from receiver.core.segment.calls import InvalidCall

TRACK = {"type": "track", "userId": "u", "event": "Seen"}


def sent(**fields: Any) -> list[dict[str, Any]]:
    return [json.loads(one.item(f"id-{at}")) for at, one in enumerate(encode_batch(fields))]


def problems(**fields: Any) -> tuple[str, ...]:
    with pytest.raises(InvalidCall) as caught:
        encode_batch(fields)
    return caught.value.problems


def test_each_call_is_like_one_of_its_own() -> None:
    track, identify = sent(
        batch=[
            {**TRACK, "revenue": "19.99"},
            {"type": "identify", "anonymousId": "a", "firstName": "A", "lastName": "B", "messageId": "mine"},
        ]
    )
    assert (track["type"], track["properties"]) == ("track", {"revenue": 19.99, "currency": "USD"})
    assert identify["traits"]["name"] == "A B"
    assert (track["messageId"], identify["messageId"]) == ("id-0", "mine")


def test_context_and_integrations_are_for_all_unless_a_call_says_otherwise() -> None:
    plain, own = sent(
        batch=[TRACK, {**TRACK, "context": {"ip": "192.0.2.9"}, "integrations": {"Mixpanel": True}}],
        context={"ip": "192.0.2.1", "locale": "de-AT"},
        integrations={"All": False},
    )
    assert (plain["context"]["ip"], own["context"]["ip"]) == ("192.0.2.1", "192.0.2.9")
    assert own["context"]["locale"] == "de-AT"
    assert plain["integrations"] == {"All": False}
    assert own["integrations"] == {"All": False, "Mixpanel": True}


def test_all_problems_are_told_each_with_its_place() -> None:
    assert problems(
        batch=[
            {**TRACK, "event": 3, "custom": {"value": 1}},
            "text",
            {"type": "delete", "userId": "u"},
            {"event": "x"},
            {"type": "page", "userId": "u", "integrations": "x"},
        ],
        context="x",
        bach=[],
    ) == (
        "bach: a batch has no such field; did you mean batch?",
        "context: expected an object, got 'x'",
        "batch[0].event: expected a name, got a number",
        "batch[0].custom.value: value is a reserved name; move it out of custom",
        "batch[1]: expected an object, got 'text'",
        "batch[2].type: expected identify, track, page, screen, group, alias, got 'delete'",
        "batch[3].type: expected identify, track, page, screen, group, alias, got nothing",
        "batch[4].integrations: expected an object of booleans and objects, such as {All: false}, got 'x'",
    )


@pytest.mark.parametrize(
    ("batch", "says"),
    [
        ([], "batch: is empty"),
        (None, "batch: expected a list of calls, got nothing"),
        ({}, "batch: expected a list of calls, got an object"),
    ],
)
def test_a_batch_is_a_list_of_calls(batch: Any, says: str) -> None:
    assert problems(batch=batch) == (says,)
