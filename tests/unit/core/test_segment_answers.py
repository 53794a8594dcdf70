import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.core.segment.answers import LONGEST, error_of


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"success": False, "code": "invalid_request", "message": "no key"}, ("invalid_request", "no key")),
        ({"error": {"code": "not_found", "message": "no profile"}}, ("not_found", "no profile")),
        ({"errors": [{"type": "authentication", "message": "no"}, 7]}, ("authentication", "no")),
        ({"errors": [], "message": "later"}, ("", "later")),
        ({"error": "text", "code": 7}, ("", "")),
        ({"success": True}, ("", "")),
        ([1], ("", "")),
        ({"message": "x" * 1_000}, ("", "x" * LONGEST)),
    ],
)
def test_each_api_has_its_place(answer: Any, said: tuple[str, str]) -> None:
    assert error_of(json.dumps(answer).encode()) == said


NAMES = st.sampled_from(["error", "errors", "code", "message", "type"])
ANSWERS = st.recursive(
    st.text() | st.none() | st.integers(),
    lambda inner: st.dictionaries(NAMES, inner) | st.lists(inner),
    max_leaves=8,
)


@settings(max_examples=50)
@given(st.binary() | ANSWERS.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_read(body: bytes) -> None:
    code, sentence = error_of(body)
    assert isinstance(code, str)
    assert isinstance(sentence, str)
