"""The tracking API against whatever people send: always an answer, and nothing of what was sent is bent."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from receiver.core.json_text import members
from receiver.tracking.calls import CALLS, PIXELS
from tests.support.http_side import WRITE_KEY, HttpSide

PATHS = st.sampled_from(sorted(CALLS))
NAMES = st.sampled_from(
    [
        "type",
        "event",
        "userId",
        "messageId",
        "context",
        "integrations",
        "timestamp",
        "sentAt",
        "channel",
        "batch",
    ]
) | st.text(max_size=5)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
MESSAGES = st.dictionaries(NAMES, VALUES, max_size=8)
OURS = {
    "type",
    "messageId",
    "context",
    "integrations",
    "timestamp",
    "originalTimestamp",
    "receivedAt",
    "sentAt",
}
"""What is filled in, merged or corrected; the channel only where there is none."""


@given(PATHS, st.binary(max_size=200))
def test_any_bytes_get_an_answer(path: str, body: bytes) -> None:
    side = HttpSide()
    answer = side.send(body, path=f"/v1/{path}", headers={})
    assert answer.status == 400
    assert answer.json()["success"] is False
    assert side.recorder.messages == []


@given(st.sampled_from(sorted(PIXELS)), st.text(max_size=60))
def test_any_pixel_is_answered_by_an_image(path: str, query: str) -> None:
    answer = HttpSide().send(b"", path=f"/v1/{path}?{query}", method="GET", headers={})
    assert (answer.status, answer.headers["content-type"]) == (200, "image/gif")


@given(PATHS, st.lists(MESSAGES, min_size=1, max_size=3), st.dictionaries(NAMES, VALUES, max_size=3))
def test_every_message_is_kept_with_all_it_said(
    path: str, items: list[dict[str, Any]], shared: dict[str, Any]
) -> None:
    side = HttpSide()
    batch = CALLS[path].type is None
    sent = items if batch else items[:1]
    body = {**shared, "batch": sent} if batch else sent[0]
    text = json.dumps({**body, "writeKey": WRITE_KEY}).encode()
    assert side.send(text, path=f"/v1/{path}", headers={}).status == 200
    assert len(side.recorder.messages) == len(sent)
    for item, stored in zip(sent, side.recorder.bodies, strict=True):
        kept, said = members(stored), members(json.dumps(item).encode())
        assert "writeKey" not in kept
        assert kept.keys() >= said.keys() | {"messageId", "receivedAt", "timestamp", "channel", "context"}
        for name in said.keys() - OURS - ({"channel"} if item.get("channel") is None else set()):
            assert bytes(kept[name]) == bytes(said[name])
