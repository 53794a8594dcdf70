"""Where a write key may stand."""

import base64

import pytest

from receiver.core.json_text import members
from receiver.tracking.keys import WriteKeys, in_fields, in_header
from tests.support.http_side import OTHER_WRITE_KEY, WRITE_KEY, config
from tests.support.segment import nested


def basic(user: str) -> bytes:
    return b"Basic " + base64.b64encode(user.encode())


@pytest.mark.parametrize(
    ("header", "key"),
    [
        (basic("key:"), "key"),
        (basic("key"), "key"),
        (basic("key:password"), "key"),
        (basic("key:").replace(b"Basic", b"bAsIc"), "key"),
        (basic("schlüssel:"), "schlüssel"),
        (b"Basic  " + base64.b64encode(b"key:") + b" ", "key"),
        (basic(":"), None),
        (basic(""), None),
        (b"Basic", None),
        (b"Basic ===", None),
        (b"Basic \xff\xfe", None),
        (b"Basic a", None),
        (b"Bearer key", None),
        (b"", None),
    ],
)
def test_the_header(header: bytes, key: str | None) -> None:
    assert in_header({b"authorization": header}) == key


def test_no_header() -> None:
    assert in_header({}) is None


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (b'{"writeKey":"key"}', "key"),
        (rb'{"writeKey":"k\u0065y"}', "key"),
        (b'{"writeKey":""}', None),
        (b'{"writeKey":null}', None),
        (b'{"writeKey":17}', None),
        (b'{"writeKey":["key"]}', None),
        (b'{"writeKey":%b}' % nested(2000), None),
        (b"{}", None),
    ],
    ids=str,
)
def test_the_body(body: bytes, key: str | None) -> None:
    assert in_fields(members(body)) == key


def test_a_surrogate_in_a_key_is_no_error() -> None:
    assert WriteKeys(config()).way(in_fields(members(rb'{"writeKey":"\ud83d"}'))) is None


def test_each_key_opens_the_way_of_its_source() -> None:
    keys = WriteKeys(config())
    found = [keys.way(key) for key in (WRITE_KEY, OTHER_WRITE_KEY, "else", "", None)]
    assert [way and way.source.name for way in found] == ["web", "app", None, None, None]
