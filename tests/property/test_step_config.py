"""Steps of any shape are records or problems in words for people; transforms never fail on any message."""

import copy
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.core import transforms
from receiver.core.errors import ConfigError, Problem
from receiver.core.routes_file import parse
from receiver.core.steps import StepKeys
from receiver.core.steps.http import HttpKeys
from receiver.core.steps.rq import RqKeys
from receiver.core.steps.transform import ActionKeys
from receiver.core.transforms import NotAnObject

ODD: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(None, True, 0, 1, 3.5, "", "x", "{{ a }}", "{{ a", "{{ steps.q.z }}", "KEY", "type = 1", "all"),
        *([], {}, [None], [[1]], [{}], ["{{ a }}", {"b": 1}], [1, "2xx"], {"": 1}, {"": ["a"]}, {"a": None}),
        *(
            {"a": "{{ x"},
            {"percent": 1},
            {"percent": "x"},
            {"basic": 1},
            {"bearer": {}},
            {"header": {"name": 1}},
        ),
        *({"scheme": "standard-webhooks", "secret_env": [1]}, {"user": "u", "password_env": "KEY"}),
    ]
)
PYDANTIC = re.compile(r"\.(str|int|float|bool|dict|list)\b|\[key\]|[Ii]nput should|validat|tagged")


def keys_of(model: Any) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def some(model: Any) -> st.SearchStrategy[Any]:
    keys = st.dictionaries(st.sampled_from(keys_of(model)), ODD, max_size=4)
    return st.one_of(keys, keys, keys, ODD)


INSIDE = {"http": some(HttpKeys), "rq": some(RqKeys), "transform": st.lists(some(ActionKeys), max_size=3)}
BESIDE = st.dictionaries(st.sampled_from(keys_of(StepKeys)), ODD, max_size=2)
STEPS = st.sampled_from(list(INSIDE)).flatmap(
    lambda kind: st.builds(lambda inside, beside: {**beside, kind: inside}, INSIDE[kind], BESIDE)
)


def problems_of(text: str) -> list[Problem] | None:
    """None: there are none."""
    try:
        parse(text, file="f", environ={"KEY": "v"})
    except ConfigError as error:
        return error.problems
    return None


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=2))
def test_steps_of_any_shape(steps: list[Any]) -> None:
    text = repr({"sources": {"s": {"write_key_env": "KEY"}}, "routes": {"r": {"steps": steps}}})
    problems = problems_of(text.replace("None", "null").replace("True", "true"))
    assert problems != []
    for problem in problems or ():
        assert problem.line == 1
        assert not PYDANTIC.search(f"{problem.key}: {problem.message}"), str(problem)


NAMES = st.sampled_from(["a", "b", "type", "a.b", "", "0"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
MESSAGES = st.dictionaries(NAMES, VALUES, max_size=4)
PATHS = st.lists(st.sampled_from(["a", "b", "type", r"a\.b"]), min_size=1, max_size=3).map(".".join)
FIELDS = st.dictionaries(st.one_of(PATHS, st.just("")), st.lists(NAMES, max_size=3), min_size=1, max_size=2)


@given(MESSAGES, FIELDS)
def test_block_and_allow_share_a_message_between_them(
    message: dict[str, Any], fields: dict[str, Any]
) -> None:
    """What block takes away of an object is what allow leaves of it, for any message."""
    blocked, allowed = copy.deepcopy(message), copy.deepcopy(message)
    path, keys = next(iter(fields.items()))
    transforms.block(blocked, {path: keys})
    transforms.allow(allowed, {path: keys})
    whole, left, kept = (list(transforms.objects(one, path)) for one in (message, blocked, allowed))
    for before, without, only in zip(whole, left, kept, strict=True):
        assert without.keys() | only.keys() == before.keys()
        assert not without.keys() & only.keys()


@given(MESSAGES, PATHS, VALUES)
def test_what_was_set_is_there(message: dict[str, Any], path: str, value: Any) -> None:
    try:
        transforms.put(message, path, value)
    except NotAnObject:
        return
    assert transforms.value_at(message, path) == value


@given(MESSAGES, PATHS, PATHS)
def test_what_was_renamed_is_at_its_new_place(message: dict[str, Any], path: str, new: str) -> None:
    before = copy.deepcopy(transforms.value_at(message, path))
    try:
        transforms.rename(message, path, new)
    except NotAnObject:
        return
    if before is not None:
        assert transforms.value_at(message, new) == before


@given(VALUES, st.floats(0, 1), st.floats(0, 1))
def test_a_larger_sample_holds_the_smaller_one(value: Any, one: float, other: float) -> None:
    at = transforms.share(value)
    assert 0 <= at < 1
    assert (at < min(one, other)) <= (at < max(one, other))
