"""Conditions in FQL among the filters of lists and replays."""

import msgspec
import pytest

from receiver.core.message import StoredMessage
from receiver.core.selection import Selection


def stored(body: bytes) -> StoredMessage:
    return StoredMessage(number=1, received_ms=5, body=body, source="s", path="s", covered=False, routes=())


@pytest.mark.parametrize(
    ("body", "taken"),
    [
        (b'{"type":"track","event":"A","properties":{"a":2}}', True),
        (b'{"type":"track","event":"A","properties":{"a":1e400}}', True),
        (b'{"type":"track","event":"A","properties":{"a":1}}', False),
        (b'{"type":"track","event":"A"}', False),
        (b'{"type":"page","properties":{"a":2}}', False),
        (b"[]", False),
        (b"not JSON", False),
        (b'{"type":"track","event":"A","properties":{"a":2,"b":"\xff"}}', False),
    ],
)
def test_all_that_is_asked_must_hold(body: bytes, taken: bool) -> None:
    assert Selection(types=("track",), where="properties.a > 1").takes(stored(body)) is taken


def test_what_cannot_be_read_is_not_selected_by_its_opposite_either() -> None:
    assert not Selection(where="!( properties.a )").takes(stored(b'{"properties":"\xff"}'))


def test_a_selection_goes_from_process_to_process() -> None:
    chosen = Selection(where="type = 'track'")
    assert msgspec.json.decode(msgspec.json.encode(chosen), type=Selection) == chosen
