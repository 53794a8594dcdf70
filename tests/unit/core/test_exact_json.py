import contextlib
import json
import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.core import exact_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_written_is_read_back(value: object) -> None:
    assert exact_json.loads(exact_json.dumps(value)) == value


@given(VALUES)
def test_what_javascript_would_write_is_read_as_the_standard_library_reads_it(value: object) -> None:
    assert exact_json.loads(json.dumps(value).encode()) == value


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with contextlib.suppress(exact_json.NotJson):
        exact_json.loads(raw)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"\ud83d"', "\ud83d"),
        (r'{"\ud83d":1}', {"\ud83d": 1}),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("-9223372036854775809", -9223372036854775809),
        ("1e400", math.inf),
        ("9" * 5000, math.inf),
        ('{"a":1,"a":2}', {"a": 2}),
        ("[" * 500 + "]" * 500, None),
    ],
)
def test_numbers_stay_exact_and_surrogates_are_kept(text: str, value: object) -> None:
    read = exact_json.loads(text.encode())
    assert value is None or read == value


@pytest.mark.parametrize(
    "raw", [b"", b"NaN", b"[Infinity]", b"{} x", b'"\xff"', b"\xef\xbb\xbf{}", b"[" * 5000]
)
def test_what_is_not_json_is_told(raw: bytes) -> None:
    with pytest.raises(exact_json.NotJson):
        exact_json.loads(raw)


def test_a_lone_surrogate_is_written_as_its_escape() -> None:
    assert exact_json.dumps({"a": ("\ud83d", 10**30)}) == b'{"a":["\\ud83d",1000000000000000000000000000000]}'


def test_a_decimal_is_a_number() -> None:
    assert exact_json.dumps([Decimal("19.990"), Decimal("1E+3")]) == b"[19.990,1E+3]"
    assert exact_json.dumps(["NaN", float("nan")]) == b'["NaN",null]'
    assert exact_json.dumps(["\ud83d", Decimal("19.990")]) == b'["\\ud83d",19.99]'


def test_what_json_cannot_say_is_told() -> None:
    circle: list[object] = []
    circle.append(circle)
    surrogate = "\ud83d"
    strange = (
        Decimal("NaN"),
        [Decimal("-sNaN")],
        Decimal("Infinity"),
        {surrogate: {None: 1}},
        [surrogate, float("nan")],
        [surrogate, object()],
    )
    for value in (object(), {None: 1}, circle, (number for number in range(3)), *strange):
        with pytest.raises(exact_json.NotJson):
            exact_json.dumps(value)
