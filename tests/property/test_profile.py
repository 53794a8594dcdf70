"""Questions made of hostile messages, and answers from anywhere: only what is documented comes of them."""

import json
from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.core.segment.profile import PARAMETERS, RESOURCES, Get, InvalidLookup, Lookup
from receiver.core.segment.profile_talk import ProfileError, Reply, talk

GETS = st.sampled_from(get_args(Get))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
CURSORS = st.fixed_dictionaries(
    {}, optional={"has_more": st.booleans() | JSON, "next": st.sampled_from(["a", "b", "", "\ud83d"]) | JSON}
)
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "traits": st.dictionaries(st.sampled_from("abcdef"), JSON) | JSON,
        "data": st.lists(JSON, max_size=3) | JSON,
        "metadata": JSON,
        "cursor": CURSORS | JSON,
        "error": st.fixed_dictionaries({"code": st.sampled_from(["not_found", "x"]) | JSON}) | JSON,
    },
)
REPLIES = st.builds(
    Reply,
    status=st.sampled_from([200, 200, 200, 404, 429, 401, 500, 302]),
    body=st.binary(max_size=20) | ANSWERS.map(lambda answer: json.dumps(answer).encode()),
    truncated=st.booleans(),
)


@settings(max_examples=100)
@given(GETS, JSON | st.just("user_id:1"), st.dictionaries(st.sampled_from(PARAMETERS), JSON, max_size=4))
def test_a_question_is_refused_or_can_be_sent(get: Get, id: Any, values: dict[str, Any]) -> None:
    try:
        lookup = Lookup.of(get, id, values)
    except InvalidLookup:
        return
    target = next(talk(lookup))
    assert target.isascii()
    assert target.isprintable()
    assert " " not in target


@settings(max_examples=100)
@given(GETS, st.integers(1, 30), st.lists(REPLIES, min_size=1, max_size=6))
def test_a_talk_ends_with_an_output_or_an_error(get: Get, most: int, replies: list[Reply]) -> None:
    values = {"max_items": most} if RESOURCES[get].has_pages else {}
    talking = talk(Lookup.of(get, "user_id:Ann", values))
    next(talking)
    asked = 1
    try:
        while True:
            assert asked <= 4 * (most + 1), "it asks without end"
            target = talking.send(replies[asked % len(replies)])
            assert target.isascii()
            asked += 1
    except StopIteration as end:
        output = end.value
    except ProfileError:
        return
    assert output["found"] in (True, False)
    assert isinstance(output[get], dict if get in ("traits", "metadata") else list)
