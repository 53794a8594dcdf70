"""Messages that are too old for their source."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.age import young
from receiver.core import exact_json
from receiver.core.errors import MessageTooOld
from receiver.schemes.base import Coverage, Verified
from receiver.split import Elements, split
from tests.support.segment import LINES, batch, line

NOW_MS = 1_718_000_000_000
"""2024-06-10T06:13:20Z: what `at(0)` says."""


def at(ago_s: int, name: str = "receivedAt") -> dict[str, str]:
    minutes, seconds = divmod(13 * 60 + 20 - ago_s, 60)
    return {name: f"2024-06-10T06:{minutes:02}:{seconds:02}.000Z"}


def elements(*messages: Any) -> Elements:
    body = json.dumps(messages[0] if len(messages) == 1 else messages).encode()
    return split(Verified(body=body, coverage=Coverage.ALL), 100_000)


@pytest.mark.parametrize(
    "message",
    [
        at(0),
        at(300),
        at(-60),
        {**at(10), **at(700, "sentAt"), **at(700, "timestamp")},
        {**at(10, "sentAt"), **at(700, "timestamp")},
        {"receivedAt": None, **at(10, "sentAt")},
        {"receivedAt": "soon", "sentAt": 5, **at(10, "timestamp")},
        {"receivedAt": "2024-06-10T08:13:20+02:00"},
        {"receivedAt": "2024-06-10 06:13:19.209808489 +0000 UTC m=+0.1"},
        {"receivedAt": "2999-01-01T00:00:00Z"},
    ],
)
def test_young_enough(message: dict[str, Any]) -> None:
    found = elements(message)
    assert young(found, 300, NOW_MS) is found


@pytest.mark.parametrize(
    "message",
    [
        at(301),
        {**at(700), **at(10, "sentAt"), **at(10, "timestamp")},
        {**at(700, "sentAt"), **at(10, "timestamp")},
        at(700, "timestamp"),
        {"receivedAt": "0001-01-01T00:00:00+23:59"},
        {"originalTimestamp": "2024-06-10T06:13:20Z"},
        {},
    ],
)
def test_too_old(message: dict[str, Any]) -> None:
    with pytest.raises(MessageTooOld, match="younger than 5m") as caught:
        young(elements(message), 300, NOW_MS)
    assert (caught.value.code, caught.value.status) == ("message_too_old", 400)


def test_an_old_one_costs_the_others_nothing() -> None:
    found = young(elements(at(1), None, at(900), 7, at(2), at(901)), 300, NOW_MS)
    assert [element.body for element in found.kept] == [json.dumps(at(ago)).encode() for ago in (1, 2)]
    assert [(one.index, one.reason) for one in found.refused] == [
        (1, "null"),
        (2, "too_old"),
        (3, "not_an_object"),
        (5, "too_old"),
    ]


def test_a_batch_of_which_nothing_is_left_is_refused_whole() -> None:
    with pytest.raises(MessageTooOld):
        young(elements(None, at(900), at(901)), 300, NOW_MS)


def test_what_holds_no_message_at_all_is_not_old() -> None:
    found = elements(None, 7)
    assert young(found, 300, NOW_MS) is found


@pytest.mark.parametrize("number", range(1, len(LINES) + 1))
def test_every_body_segment_sends_has_an_age(number: int) -> None:
    found = split(Verified(body=line(number), coverage=Coverage.ALL), 100_000)
    assert young(found, 86400, NOW_MS) is found
    with pytest.raises(MessageTooOld):
        young(found, 300, NOW_MS + 7200_000)


@given(st.lists(st.binary(max_size=30) | st.sampled_from([b'"\\ud83d"', b"1e400", b"null", b"[]"])))
def test_odd_times_are_no_times(values: list[bytes]) -> None:
    texts = [json.dumps(value.decode("latin-1")).encode() for value in values] + values[-1:]
    messages = [b'{"receivedAt":' + text + b"}" for text in texts if _is_json(text)]
    found = split(Verified(body=batch(line(2), *messages), coverage=Coverage.ALL), 100_000)
    assert len(young(found, 86400 * 365, NOW_MS).kept) >= 1


def _is_json(text: bytes) -> bool:
    try:
        exact_json.loads(text)
    except exact_json.NotJson:
        return False
    return True
