"""How messages and deliveries are put into words and JSON."""

import json

import msgspec
import pytest

from receiver.cli.message import pretty
from receiver.cli.views import as_json, brief, cut, in_short, outcome, sentence
from receiver.core.message import Attempt, Delivery, Status, StoredMessage, Trigger

TRACEBACK = "Traceback (most recent call last):\n  File \"x.py\", line 1, in f\n\nKeyError: 'id'\n"


def stored(body: bytes) -> StoredMessage:
    return StoredMessage(
        number=7, received_ms=0, body=body, source="shop", path="shop", covered=True, routes=(), repeats=2
    )


def delivery(status: Status, *, route: str = "crm", error: str = "", code: str = "") -> Delivery:
    attempt = Attempt(number=1, trigger=Trigger.LIVE, code="ok", started_ms=0, duration_ms=3)
    return Delivery(
        message=7, route=route, replay=0, status=status, error=error, code=code, history=(attempt,)
    )


@pytest.mark.parametrize(
    ("body", "title", "user"),
    [
        (
            b'{"type":"track","event":"Order Completed","userId":"u","anonymousId":"a"}',
            "track Order Completed",
            "u",
        ),
        (b'{"type":"page","name":"Home","anonymousId":"a"}', "page Home", "a"),
        (b'{"type":"identify","userId":17}', "identify", "17"),
        (b'{"type":"track","event":"\\ud83d"}', "track \\ud83d", ""),
        (b'{"type":{},"event":[]}', "(no type)", ""),
        (b"[1]", "(no type)", ""),
        (b"\xff", "(no type)", ""),
    ],
)
def test_what_a_message_says_about_itself(body: bytes, title: str, user: str) -> None:
    assert (brief(body).title, brief(body).user) == (title, user)


def test_an_error_in_short() -> None:
    assert in_short(TRACEBACK) == "KeyError: 'id'"
    assert in_short("404: gone\n<html>") == "404: gone"
    assert in_short("") == ""
    assert cut("a  b\nc", 10) == "a b c"
    assert cut("abcdef", 4) == "abc…"


def test_an_outcome_in_short() -> None:
    good, bad = delivery(Status.DELIVERED), delivery(Status.DEAD, code="handler_error", error=TRACEBACK)
    assert outcome([]) == "no route"
    assert outcome([good]) == "crm delivered"
    assert outcome([bad, good, good]) == "2 delivered, 1 dead"
    assert sentence(good) == "crm delivered in 3 ms"
    assert sentence(bad) == "crm dead: handler_error: KeyError: 'id'"


def test_json_keeps_the_body_as_it_arrived_on_one_line() -> None:
    body = b'{"type": "track",\r\n "n": 1e400, "s": "\\ud83d", "big": 123456789012345678901234567890}'
    line = msgspec.json.encode(as_json(stored(body), [delivery(Status.WAITING)]))
    assert b"\n" not in line
    assert line.endswith(b'"body":' + body.replace(b"\r\n", b"  ") + b"}")
    told = json.loads(line)
    assert (told["id"], told["seen"], told["type"]) == ("msg_7", 3, "track")
    assert told["deliveries"][0]["finished_at"] is None


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b'{"n":1e400,"x":[1]}', '{\n  "n": 1e400,\n  "x": [\n    1\n  ]\n}'),
        (b'{"s":"\\ud83d"}', '{"s":"\\ud83d"}'),
        (b"\xff", "\ufffd"),
        ('{"s":"\x1b[2J\u202e"}'.encode(), '{"s":"\\x1b[2J\\u202e"}'),
    ],
)
def test_a_body_is_shown_with_its_numbers_as_written_and_nothing_a_terminal_obeys(
    body: bytes, shown: str
) -> None:
    assert pretty(body) == shown
