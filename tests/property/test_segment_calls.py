"""Whatever the fields of a call hold: either Segment takes what comes of it, or all that is wrong is said."""

from collections.abc import Callable
from datetime import UTC
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.core import exact_json, validity
from receiver.core.json_text import members
from receiver.core.segment.batches import encode_batch
from receiver.core.segment.calls import MAX_CALL, Encoded, InvalidCall, encode
from receiver.core.segment.fields import CALLS, SHAPES, Call

TEXTS = st.one_of(
    st.text(st.characters(), max_size=8),
    st.sampled_from(["19.99", "1e999", "EUR", "2026-05-01", "\ud83d", "x" * 600, "x" * 33_000]),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    TEXTS,
    st.decimals(),
    st.datetimes(timezones=st.just(UTC)),
    st.dates(),
    st.just(object()),
    st.binary(max_size=3),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS | st.none(), inner, max_size=3),
    max_leaves=6,
)
NAMES = sorted({name for shape in SHAPES.values() for name in shape.known} | {"type", "x"})
INSIDE = sorted({name for shape in SHAPES.values() for name in shape.typed} | {"x"})
OBJECTS = st.dictionaries(st.sampled_from(INSIDE), VALUES, max_size=4)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(NAMES, VALUES),
        **dict.fromkeys(("traits", "properties", "custom"), OBJECTS | VALUES),
        **dict.fromkeys(("userId", "groupId", "previousId", "event"), TEXTS),
    },
)


def made(encoded: Callable[[], list[Encoded]]) -> list[bytes]:
    """The messages; none if they are refused, with a reason."""
    try:
        return [one.item("id-1") for one in encoded()]
    except InvalidCall as refused:
        if not refused.problems:
            raise
        return []


def judge(item: bytes) -> None:
    """What is sent is what Segment takes."""
    assert isinstance(exact_json.loads(item), dict)
    assert len(item) <= MAX_CALL
    assert validity.problems(members(item)) == ()


def complete(call: Call, fields: dict[str, Any]) -> dict[str, Any]:
    """With what the call needs, so that not all are refused for the same reason."""
    return {"userId": "u", **dict.fromkeys(SHAPES[call].required, "x"), **fields}


@settings(max_examples=60)
@given(st.sampled_from(CALLS), FIELDS, st.booleans())
def test_a_call_is_good_or_refused(call: Call, fields: dict[str, Any], helped: bool) -> None:
    known = {name: value for name, value in fields.items() if name in SHAPES[call].known}
    for item in made(lambda: [encode(call, complete(call, known) if helped else fields)]):
        judge(item)


ITEM = st.tuples(st.sampled_from(CALLS), OBJECTS).map(
    lambda pair: {"type": pair[0], **complete(pair[0], {}), "custom": pair[1]}
)


@settings(max_examples=30)
@given(st.lists(ITEM | VALUES, max_size=3) | VALUES, VALUES, VALUES)
def test_a_batch_is_good_or_refused(items: Any, context: Any, integrations: Any) -> None:
    fields = {"batch": items, "context": context, "integrations": integrations}
    for item in made(lambda: encode_batch(fields)):
        judge(item)
