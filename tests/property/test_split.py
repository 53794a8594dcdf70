"""Taking bodies apart: exact slices back, whatever stands in them, by both readers alike."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from receiver.core import json_text
from receiver.core.errors import Refused
from receiver.core.facts import content_digest
from receiver.schemes.base import Coverage, Verified
from receiver.split import split
from tests.support.segment import batch, envelope, wrapped

CAP = 1_000_000
LONE = st.characters(categories=["Cs"])
TEXT = st.text(max_size=8) | st.text(LONE, max_size=2)
NUMBERS = st.sampled_from(["0", "-0", "1e400", "-1E-400", "1" * 400, "0.1", "1.5e+3"])
LEAVES = st.none() | st.booleans() | st.integers() | TEXT
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3)
)
DEEP = st.recursive(
    st.sampled_from([0, "[[{", '"{']),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just(""), inner),
)
SPACE = st.text(" \t\n\r", max_size=2)


@st.composite
def objects(draw: st.DrawFn) -> bytes:
    """An object as text: odd strings, odd numbers, odd spacing, both ways to write non-ASCII characters."""
    fields = draw(
        st.dictionaries(TEXT.filter(lambda name: name not in ("batch", "json")), VALUES, max_size=4)
    )
    parts = []
    for name, value in fields.items():
        text = _written(value, ascii_only=draw(st.booleans()))
        if draw(st.integers(0, 5)) == 0:
            text = draw(NUMBERS)
        space = draw(SPACE)
        parts.append(f"{space}{_written(name, ascii_only=False)}{space}:{space}{text}{space}")
    return ("{" + ",".join(parts) + "}").encode()


def _written(value: Any, *, ascii_only: bool) -> str:
    text = json.dumps(value, ensure_ascii=ascii_only)
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate exists as an escape only
        return json.dumps(value)
    return text


def _split(body: bytes) -> list[bytes]:
    elements = split(Verified(body=body, coverage=Coverage.ALL), CAP)
    assert elements.refused == []
    return [element.body for element in elements.kept]


@given(message=objects())
def test_a_single_message_is_kept_as_it_is(message: bytes) -> None:
    assert _split(message) == [message]


@pytest.mark.parametrize("shape", [batch, wrapped, envelope])
@settings(max_examples=40)
@given(messages=st.lists(objects(), max_size=5))
def test_a_batch_gives_back_exact_slices(shape: Callable[..., bytes], messages: list[bytes]) -> None:
    assert _split(shape(*messages)) == messages


@given(messages=st.lists(objects(), max_size=5), spaces=st.lists(SPACE, min_size=12, max_size=12))
def test_white_space_between_messages_belongs_to_none(messages: list[bytes], spaces: list[str]) -> None:
    gaps = iter(space.encode() for space in spaces)
    inner = b",".join(next(gaps) + message + next(gaps) for message in messages)
    assert _split(next(gaps) + b"[" + inner + b"]" + next(gaps)) == messages


@given(message=objects(), junk=st.lists(st.sampled_from([b"null", b"1e400", b'"\\ud83d"', b"[{}]", b"true"])))
def test_other_elements_do_not_cost_a_message(message: bytes, junk: list[bytes]) -> None:
    elements = split(Verified(body=batch(*junk, message, *junk), coverage=Coverage.FIRST), CAP)
    assert [element.body for element in elements.kept] == [message]
    assert [element.covered for element in elements.kept] == [not junk]
    assert [element.index for element in elements.refused] == [
        *range(len(junk)),
        *range(len(junk) + 1, 2 * len(junk) + 1),
    ]


@given(body=st.binary() | st.text(max_size=30).map(str.encode) | objects().map(lambda text: text[:-1]))
def test_any_bytes_are_taken_apart_or_refused(body: bytes) -> None:
    with contextlib.suppress(Refused):
        assert all(
            element.body in body for element in split(Verified(body=body, coverage=Coverage.ALL), CAP).kept
        )


@given(message=objects())
def test_both_readers_cut_alike(message: bytes) -> None:
    exact = dict(json_text._walk(message))
    assert {name: bytes(value) for name, value in json_text.members(message).items()} == exact
    assert json_text.items(batch(message, message)) == [
        item for _, item in json_text._walk(batch(message, message))
    ]


@given(rest=st.lists(st.sampled_from([*b'[]{},:"\\/ 0123e-+.xntrue']), max_size=12).map(bytes))
def test_both_readers_refuse_alike(rest: bytes) -> None:
    def cut(items: Callable[[bytes], list[bytes]]) -> list[bytes] | None:
        try:
            return items(b"[" + rest)
        except (msgspec.MsgspecError, ValueError):
            return None

    assert cut(lambda text: [bytes(item) for item in json_text._ITEMS.decode(text)]) == cut(
        lambda text: [item for _, item in json_text._walk(text)]
    )


@example(value=[[[[{"": []}]]]])
@example(value=[[[[[[]]]]]])
@given(value=DEEP)
def test_too_deep_means_exactly_that(value: Any) -> None:
    def depth(value: Any) -> int:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
        return 0 if inner is None else 1 + max(map(depth, inner), default=0)

    text = json.dumps(value, separators=(",", ":")).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_text, "MAX_DEPTH", 5)
        assert json_text.too_deep(text) is (depth(value) > 5)


@given(message=objects(), times=st.lists(st.text("0123456789:-TZ", max_size=24), min_size=2, max_size=2))
def test_the_digest_ignores_when_a_message_was_sent(message: bytes, times: list[str]) -> None:
    def sent(time: str) -> bytes:
        stamp = json.dumps(time)
        rest = message[1:].lstrip() if message.strip() == b"{}" else b"," + message[1:]
        return f'{{"sentAt":{stamp},"receivedAt":{stamp},"_metadata":{{"retry":{stamp}}}'.encode() + rest

    first, second = (content_digest(json_text.members(sent(time))) for time in times)
    assert first == second
    assert first == content_digest(json_text.members(message))


@given(one=objects(), two=objects())
def test_the_digest_tells_other_content_apart(one: bytes, two: bytes) -> None:
    fields = [dict(json_text._walk(message)) for message in (one, two)]
    same = list(fields[0].items()) == list(fields[1].items())
    digests = [content_digest(json_text.members(message)) for message in (one, two)]
    assert (digests[0] == digests[1]) == same
