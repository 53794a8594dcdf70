"""FQL against a second, plain evaluator; and nothing anybody writes or sends can make it raise."""

import json
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.core.content import Content
from receiver.core.fql import FqlError, compile_fql
from receiver.core.fql.functions import FUNCTIONS
from receiver.core.json_text import members
from tests.support import fql_oracle
from tests.support.fql_oracle import Tree
from tests.support.fql_writer import write

NAMES = ("type", "a", "b", "0", "1", "or", "c d", "é.", "-x")
TEXTS = (
    "",
    "a",
    "A b",
    "a b",
    "0",
    "5",
    "2.50",
    "false",
    "1.2",
    "1.10.0-rc",
    "ß",
    "\ud83d",
    "a*",
    "x'y",
    "[a",
    "a\nb",
)
NUMBERS = (0, 1, 1.0, -3, 2.5, 5, 10**20, 1e21, -0.0)
PATTERNS = ("*", "a*", "? b", "[a-c]*", "[^a]*", "\\a*", "[a", "[]", "*b*", "[A\\]-]?b", "[c-a]", "a\\")

SCALARS = st.sampled_from([None, True, False, *NUMBERS, float("inf"), *TEXTS])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=6,
)
MESSAGES = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4)

FIELDS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(lambda names: ("field", names))
OPERANDS = FIELDS | st.sampled_from([None, True, False, *NUMBERS, *TEXTS, *PATTERNS, "<", "="]).map(
    lambda value: ("value", value)
)
OPERATORS = st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "in"])


def calls(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    return st.sampled_from(list(FUNCTIONS.items())).flatmap(
        lambda named: st.tuples(*[inner] * len(named[1].takes)).map(
            lambda arguments: ("call", named[0], list(arguments))
        )
    )


def larger(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    parts = st.lists(inner, min_size=2, max_size=3)
    return (
        st.tuples(st.just("compare"), OPERATORS, inner, inner)
        | calls(inner)
        | st.tuples(st.just("list"), st.lists(inner, max_size=3))
        | st.tuples(st.just("not"), inner)
        | st.tuples(st.sampled_from(["and", "or"]), parts)
    )


TREES: st.SearchStrategy[Tree] = st.recursive(OPERANDS, larger, max_leaves=10)


@settings(max_examples=100, deadline=None)
@given(TREES, st.lists(MESSAGES, min_size=1, max_size=4), st.integers(0, 1000))
def test_both_evaluators_agree(tree: Tree, messages: list[dict[str, Any]], seed: int) -> None:
    statement = write(tree, random.Random(seed))
    predicate = compile_fql(statement)
    for message in messages:
        expected = fql_oracle.evaluate(tree, message) is True
        assert predicate(message) is expected
        arrived = json.dumps(message).replace("Infinity", "1e400").encode()
        assert predicate(Content(members(arrived))) is expected
        for known in (("type",), ("type", "a"), ()):
            left = predicate.given({name: message.get(name) for name in known})
            assert (left if isinstance(left, bool) else left(message)) is expected
        for name in ("type", "a"):
            only = predicate.only(name)
            assert not expected or only is None or message.get(name) in list(only)


@settings(max_examples=20, deadline=None)
@given(TREES, MESSAGES, st.integers(0, 1000))
def test_a_judgement_says_why(tree: Tree, message: dict[str, Any], seed: int) -> None:
    predicate = compile_fql(write(tree, random.Random(seed)))
    judged = predicate.judge(message)
    for one in judged:
        assert compile_fql(one.text)(message) is one.held
        assert one.words()
    held = [one.held for one in judged]
    assert predicate(message) in ({all(held), any(held)} if len(held) > 1 else {held[0]})


TOKENS = st.sampled_from(
    [
        *"()[],.!=<>'\"\\+-5 \n\t\x00é",
        "and",
        "or",
        "in",
        "not",
        "true",
        "null",
        "type",
        "a.b",
        "length(",
        "match(a,",
        "'x'",
        "1.5",
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(TOKENS, max_size=12).map("".join) | st.text(max_size=20), MESSAGES)
def test_any_text_is_a_statement_or_says_what_is_wrong(text: str, message: dict[str, Any]) -> None:
    try:
        predicate = compile_fql(text)
    except FqlError as error:
        _check_place(error, text)
    else:
        assert predicate(message) in (True, False)
        assert predicate.judge(message)
        assert predicate.roots == {path[0] for path in predicate.paths}


def _check_place(error: FqlError, text: str) -> None:
    assert 0 <= error.position <= len(text)
    assert error.reason in str(error)
    line, caret = error.caret().split("\n")
    assert caret.strip() == "^"
    assert len(caret) <= len(line) + 1
