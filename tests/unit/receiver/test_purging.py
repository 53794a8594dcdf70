"""Which delete messages are obeyed."""

import logging
from dataclasses import replace

import pytest

from receiver.core.json_text import members
from receiver.core.routes import Source, SourcePath
from receiver.core.verify_options import VerifyNone
from receiver.purging import orders_purge
from tests.support.segment import line

SHOP = Source(name="shop", verify=(VerifyNone(),), paths={"shop": None}, purges=True)
WAY = SourcePath(source=SHOP, path="shop")
REQUEST = b'{"type":"delete","userId":"usr_1"}'


@pytest.mark.parametrize("number", [29, 30, 31])
def test_segments_forms(number: int) -> None:
    assert orders_purge(WAY, "delete", members(line(number)), covered=True)


@pytest.mark.parametrize(
    ("kind", "body", "obeyed"),
    [
        ("delete", REQUEST, True),
        ("delete", b'{"userID":"usr_1"}', True),
        ("delete", b'{"userId":17}', True),
        ("track", REQUEST, False),
        (None, REQUEST, False),
        ("delete", b'{"anonymousId":"anon_1"}', False),
        ("delete", b'{"userId":null,"userID":""}', False),
    ],
)
def test_what_is_obeyed(kind: str | None, body: bytes, obeyed: bool) -> None:
    assert orders_purge(WAY, kind, members(body), covered=True) is obeyed


def test_not_without_the_option() -> None:
    way = SourcePath(source=replace(SHOP, purges=False), path="shop")
    assert not orders_purge(way, "delete", members(REQUEST), covered=True)


def test_not_what_nothing_covers(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    assert not orders_purge(WAY, "delete", members(REQUEST), covered=False)
    assert "purges nothing" in caplog.text
    assert "usr_1" not in caplog.text
