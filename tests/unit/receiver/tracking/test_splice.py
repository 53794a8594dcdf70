"""Objects put together from slices, each value as it was written."""

import json

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from receiver.core.json_text import members
from receiver.tracking.splice import extended, joined, string

NAMES = st.text(alphabet=st.characters(exclude_categories=()), max_size=80)
ODD = rb'{"a":1e400,"b":-0.0,"c":1.10,"d":"\ud83d","\ud83d":"\u0061","e":[ 1 ,2 ]}'


def test_values_stay_as_they_were_written() -> None:
    assert joined(members(ODD)) == ODD


def test_space_between_members_goes_and_the_last_of_two_stays() -> None:
    assert joined(members(b' { "a" : { "b" : 1 } ,\n "c":2, "a":3 } ')) == b'{"a":3,"c":2}'


def test_an_empty_object() -> None:
    assert joined({}) == b"{}"
    assert extended(b"{}", {}) == b"{}"
    assert extended(b"{ }", {"a": msgspec.Raw(b"1")}) == b'{"a":1}'


def test_members_are_added_to_the_text_as_it_is() -> None:
    assert extended(b'{ "a" : 1e400 }', {"b": msgspec.Raw(b"2")}) == b'{ "a" : 1e400 ,"b":2}'


@given(st.dictionaries(NAMES, st.integers() | NAMES))
def test_any_object_comes_back(value: dict[str, int | str]) -> None:
    text = json.dumps(value).encode()
    assert json.loads(joined(members(text))) == json.loads(text)


@given(NAMES)
def test_any_text_is_a_json_string(text: str) -> None:
    assert json.loads(bytes(string(text))) == json.loads(json.dumps(text))
