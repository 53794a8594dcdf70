import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.core.segment.hops import MOST, hops_of, marked
from workers.message import Message

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("mark", "hops"),
    [
        ({"hops": 1}, 1),
        ({"hops": 2.0}, 2),
        ({"hops": 10**400}, MOST),
        ({"hops": 1e300}, MOST),
        ({"hops": float("inf")}, MOST),
        ({"hops": float("nan")}, 0),
        ({"hops": -5}, 0),
        ({"hops": "7"}, 0),
        ({"hops": True}, 0),
        ({"hops": None}, 0),
        ({"hops": [1]}, 0),
        ({}, 0),
        ("hops", 0),
        (None, 0),
        ([3], 0),
    ],
)
def test_only_a_sensible_mark_counts(mark: Any, hops: int) -> None:
    assert hops_of({"context": {"hookyard": mark}}) == hops


@given(JSON, JSON)
def test_no_mark_breaks_anything(context: Any, mark: Any) -> None:
    for message in (
        {"context": context},
        {"context": {"hookyard": mark}},
        {"context": {"hookyard": {"hops": mark}}},
    ):
        hops = hops_of(message)
        assert 0 <= hops <= MOST
        if isinstance(message["context"], dict):
            assert hops_of(marked(message, hops + 1)) == min(hops + 1, MOST)


def test_the_users_own_context_stays() -> None:
    fields = {"userId": "u1", "context": {"ip": "192.0.2.1", "hookyard": {"by": "us", "hops": 5}}}
    made = marked(fields, 6)
    assert made == {"userId": "u1", "context": {"ip": "192.0.2.1", "hookyard": {"by": "us", "hops": 6}}}
    assert fields["context"]["hookyard"] == {"by": "us", "hops": 5}  # type: ignore[index]


def test_a_context_that_is_no_object_is_left_to_the_check() -> None:
    assert marked({"context": "text"}, 1) == {"context": "text"}


@pytest.mark.parametrize(
    ("raw", "hops"),
    [
        (b'{"context":{"hookyard":{"hops":3}}}', 3),
        (b'{"context":{"hookyard":{"hops":3}}', 0),
        (b'["hookyard"]', 0),
        (b'"hookyard"', 0),
        (b'{"event":"hookyard"}', 0),
        (json.dumps({"context": {"library": {"name": "hookyard"}}}).encode(), 0),
    ],
)
def test_a_message_knows_its_hops(raw: bytes, hops: int) -> None:
    assert Message(number=1, raw=raw, source="shop", received_ms=0).hops == hops
