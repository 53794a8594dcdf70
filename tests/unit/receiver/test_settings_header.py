"""The settings of a partner subscription."""

import base64
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.core.errors import MalformedSettings
from receiver.schemes.base import Unverified
from receiver.settings_header import LONGEST, settings_of


def request(*values: bytes) -> Unverified:
    return Unverified(
        body=b"{}", headers=[(b"host", b"h"), *((b"x-segment-settings", value) for value in values)], at_ms=0
    )


def encoded(text: str | bytes) -> bytes:
    return base64.b64encode(text.encode() if isinstance(text, str) else text)


def test_none() -> None:
    assert settings_of(request()) is None


@pytest.mark.parametrize("settings", [{}, {"region": "eu", "ids": [1, None], "name": "Zoë"}, {"a": "xx?>"}])
@pytest.mark.parametrize("padded", [True, False])
def test_an_object_in_base64(settings: dict[str, object], padded: bool) -> None:
    value = encoded(json.dumps(settings, ensure_ascii=False))
    assert settings_of(request(value if padded else value.rstrip(b"="))) == settings


@pytest.mark.parametrize(
    "values",
    [
        (b"",),
        (b"{}",),
        (b"\xff\xfe",),
        (encoded("[]"),),
        (encoded("null"),),
        (encoded("{"),),
        (encoded('{"a":NaN}'),),
        (encoded(b'{"a":"\xff"}'),),
        (encoded("[" * 20_000),),
        (encoded(json.dumps({"a": "x" * LONGEST})),),
        (encoded("{}"), encoded("{}")),
    ],
)
def test_anything_else_is_refused(values: tuple[bytes, ...]) -> None:
    with pytest.raises(MalformedSettings) as caught:
        settings_of(request(*values))
    assert caught.value.code == "malformed_settings"


@given(st.binary() | st.binary().map(encoded))
def test_any_bytes_are_settings_or_refused(value: bytes) -> None:
    with contextlib.suppress(MalformedSettings):
        assert isinstance(settings_of(request(value)), dict)
