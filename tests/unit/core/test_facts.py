"""What is read from a message."""

import pytest

from receiver.core.channel import Channel
from receiver.core.facts import content_digest, facts, message_id, users
from receiver.core.filters import Facts
from receiver.core.json_text import members
from tests.support.segment import SINGLE, line


def test_facts() -> None:
    body = (
        b'{"type":"track","event":"Tried","userId":"u","messageId":7,"channel":"client",'
        b'"context":{"os":{"name":"iOS"}}}'
    )
    fields = members(body)
    users = ("u",)
    with_channel = Facts(type="track", event="Tried", channel=Channel.MOBILE, message_id="7", users=users)
    assert facts(fields, with_channel=True) == with_channel
    assert facts(fields, with_channel=False) == Facts(
        type="track", event="Tried", message_id="7", users=users
    )


def test_what_speaks_against_a_message_is_one_of_them() -> None:
    found = facts(members(b'{"type":"group","anonymousId":"a"}'), with_channel=False)
    assert found == Facts(type="group", users=("a",), problems=("id_required",))


@pytest.mark.parametrize(
    "text", [b"{}", b'{"type":null,"event":7}', b'{"type":["track"],"event":{},"channel":1e400}']
)
def test_what_is_no_name_is_none(text: bytes) -> None:
    assert facts(members(text), with_channel=True) == Facts(type=None, event=None, channel=Channel.UNKNOWN)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"{}", ()),
        (b'{"userId":"u"}', ("u",)),
        (b'{"anonymousId":"a","userId":null}', ("a",)),
        (b'{"userId":"u","anonymousId":"a"}', ("u", "a")),
        (b'{"userId":"u","anonymousId":"u"}', ("u",)),
        (b'{"userId":17,"anonymousId":""}', ("17",)),
        (b'{"userId":"","anonymousId":[]}', ()),
    ],
)
def test_users(text: bytes, found: tuple[str, ...]) -> None:
    assert users(members(text)) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [(b'{"messageId":"m"}', "m"), (b'{"messageId":17}', "17"), (b'{"messageId":null}', None), (b"{}", None)],
)
def test_message_id(text: bytes, found: str | None) -> None:
    assert message_id(members(text)) == found


def digest(text: bytes) -> bytes:
    return content_digest(members(text))


def test_the_digest_ignores_top_level_delivery_fields_only() -> None:
    base = digest(b'{"type":"track","properties":{"sentAt":1}}')
    assert base == digest(
        b'{"type":"track","sentAt":"x","properties":{"sentAt":1},"_metadata":{},"receivedAt":2}'
    )
    assert base != digest(b'{"type":"track","properties":{"sentAt":2}}')
    assert base != digest(b'{"type":"track","properties":{"sentAt":1},"timestamp":1}')


def test_the_digest_keeps_names_and_values_apart() -> None:
    texts = [b'{"a":"b"}', b'{"ab":""}', b'{"a":1,"b":2}', b'{"a":12}', b'{"b":1,"a":2}', b"{}", b'{"":""}']
    assert len({digest(text) for text in texts}) == len(texts)


def test_the_digest_is_pinned() -> None:
    """It is stored: another one would make every repeat across an update a message of its own."""
    assert digest(line(2)).hex() == "19d30616"
    assert digest(line(36)).hex() == "433362ca"
    assert len({digest(text) for text in SINGLE}) == len(SINGLE)
