"""Messages in the address of an image."""

import base64
import json
from urllib.parse import quote, urlencode

import pytest

from receiver.core.errors import MalformedMessage
from receiver.tracking.pixel import GIF, MAX_LEVELS, body_of

MESSAGE = {"writeKey": "k", "userId": "ü~>?", "event": "Email Opened"}
TEXT = json.dumps(MESSAGE, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "data",
    [
        base64.b64encode(TEXT).decode(),
        base64.b64encode(TEXT).decode().rstrip("="),
        base64.urlsafe_b64encode(TEXT).decode(),
        quote(base64.b64encode(TEXT).decode(), safe=""),
        quote(TEXT),
    ],
)
def test_data_in_every_form(data: str) -> None:
    assert body_of(f"data={data}".encode()) == TEXT


def test_documented_example_of_segment_without_padding() -> None:
    found = json.loads(
        body_of(b"data=eyJ3cml0ZUtleSI6ICJrIiwgInByb3BlcnRpZXMiOiB7ICAgInN1YmplY3QiOiAiVGhlIn19")
    )
    assert found == {"writeKey": "k", "properties": {"subject": "The"}}


def test_parameters_with_dots() -> None:
    query = urlencode(
        {"writeKey": "k", "userId": "u 1", "properties.subject": "Hi ö", "context.app.name": "x", "empty": ""}
    )
    assert json.loads(body_of(query.encode())) == {
        "writeKey": "k",
        "userId": "u 1",
        "properties": {"subject": "Hi ö"},
        "context": {"app": {"name": "x"}},
        "empty": "",
    }


def test_odd_parameters_are_no_error() -> None:
    assert json.loads(body_of(b"a=1&a.b=2&.=3&c.d=4&c=5")) == {"a": {"b": "2"}, "": {"": "3"}, "c": "5"}
    assert json.loads(body_of(b"")) == {}
    assert json.loads(body_of(b"%ff%fe=%zz&&=")) == {"��": "%zz", "": ""}


def test_dots_without_end_are_cut() -> None:
    found = json.loads(body_of(b"a" + b".a" * 10_000 + b"=1"))
    levels = 0
    while isinstance(found, dict):
        found, levels = next(iter(found.values())), levels + 1
    assert levels == MAX_LEVELS + 1


@pytest.mark.parametrize("query", [b"data=%%%", b"data=a", b"&".join([b"a=1"] * 1001), b"data=%e2%82%ac"])
def test_what_cannot_be_read_is_refused(query: bytes) -> None:
    with pytest.raises(MalformedMessage):
        body_of(query)


def test_the_image_is_one_pixel() -> None:
    assert GIF[:10] == b"GIF89a\x01\x00\x01\x00"
    assert GIF[-1:] == b";"
