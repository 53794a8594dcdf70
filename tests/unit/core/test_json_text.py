"""Slices of JSON text, above all where the fast reader gives up."""

import pytest

from receiver.core import json_text
from receiver.core.errors import MalformedMessage

LONE = rb'"\ud83d"'
"""Only the exact reader takes it."""


def deep(levels: int, inner: bytes = b"1") -> bytes:
    return b"[" * levels + inner + b"]" * levels


@pytest.mark.parametrize("levels", [400, 2000, 50_000])
def test_a_deep_item_costs_its_neighbours_nothing(levels: int) -> None:
    bottom = rb'"]}\"]",' + LONE + b',{"]":[]}'
    assert json_text.items(b"[1," + deep(levels, bottom) + b" , " + LONE + b"]") == [
        b"1",
        deep(levels, bottom),
        LONE,
    ]


def test_a_deep_item_at_the_end_of_a_deep_array_ends_where_it_ends() -> None:
    array = b"[" + deep(2000) + b"]"
    assert json_text.items(array) == [deep(2000)]
    assert bytes(json_text.members(b'{"a":' + array + b',"b":2}')["a"]) == array


@pytest.mark.parametrize(("levels", "answer"), [(1, False), (500, False), (501, True), (100_000, True)])
def test_too_deep(levels: int, answer: bool) -> None:
    assert json_text.too_deep(deep(levels)) is answer


def test_brackets_side_by_side_or_in_strings_are_not_deep() -> None:
    assert not json_text.too_deep(b"[" + b"[]," * 1000 + b"1]")
    assert not json_text.too_deep(b'["' + b"[" * 1000 + rb"\"" + b"{" * 1000 + b'"]')


def test_the_last_of_two_members_counts_by_both_readers() -> None:
    assert bytes(json_text.members(b'{"a":1,"b":2,"a":3}')["a"]) == b"3"
    assert bytes(json_text.members(b'{"a":1,"b":' + LONE + b',"a":3}')["a"]) == b"3"


@pytest.mark.parametrize("first", [b"0", LONE])
def test_items_beyond_the_limit_are_not_read(first: bytes) -> None:
    assert json_text.items(b"[" + first + b",1,2,3]", 1) == [first, b"1"]
    assert json_text.items(b"[" + first + b",1]", 2) == [first, b"1"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"[" + LONE, "Expecting ',' or ']'"),
        (b"[" + LONE + b"}", "Expecting ',' or ']'"),
        (b"[" + LONE + b",]", "Expecting value"),
        (b"[" + LONE + b"]]", "Extra data"),
        (b"{" + LONE + b"}", "Expecting ':'"),
        (b"{7:" + LONE + b"}", "name in double quotes"),
        (b"{" + LONE + b":1,}", "name in double quotes"),
        (b"[" + deep(2000)[:-1], "Unterminated array"),
        (b"7", "Expecting an array or object"),
        (b"nul", "Expecting value"),
    ],
)
def test_what_is_wrong_is_said(text: bytes, says: str) -> None:
    with pytest.raises(MalformedMessage, match=says.replace("[", r"\[")):
        json_text.items(text)


@pytest.mark.parametrize(
    ("text", "item"),
    [
        (b' [ {"a":1} , 2]', b'{"a":1}'),
        (b"[7", b"7"),
        (b"[]", None),
        (b"[", None),
        (b"{}", None),
        (b"", None),
        (b'["\xff"]', None),
    ],
)
def test_first_item(text: bytes, item: bytes | None) -> None:
    assert json_text.first_item(text) == item


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'"a"', "a"),
        (b"17", 17),
        (b"1e400", "1e400"),
        (b"9" * 5000, "9" * 5000),
        (rb'"a\ud83d"', "a\\ud83d"),
        (rb'{"a":"\ud83d"}', {"a": "\ud83d"}),
    ],
)
def test_value(text: bytes, value: object) -> None:
    assert json_text.value(text) == value
