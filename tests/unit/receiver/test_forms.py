"""Form bodies and what becomes of them."""

import contextlib
import json
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver import forms
from receiver.core import json_text
from receiver.core.errors import MalformedMessage
from receiver.schemes.base import Unverified

FORM = b"application/x-www-form-urlencoded"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def request(body: bytes, *kinds: bytes) -> Unverified:
    return Unverified(body=body, headers=[(b"content-type", kind) for kind in kinds], at_ms=0)


@pytest.mark.parametrize("kind", [FORM, FORM + b"; charset=utf-8", FORM.upper()])
def test_a_form_is_told_by_its_content_type(kind: bytes) -> None:
    assert forms.is_form(request(b"type=track", kind))


@pytest.mark.parametrize(
    "wrong",
    [
        request(b'{"type":"track","url":"?a=b"}', FORM),
        request(b' \n[{"a":"="}]', FORM),
        request(b"", FORM),
        request(b"hello", FORM),
        request(b"type=track", b"application/json"),
        request(b"type=track", FORM, b"application/json"),
        request(b"type=track"),
    ],
)
def test_what_is_no_form(wrong: Unverified) -> None:
    assert not forms.is_form(wrong)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (b"type=track&event=Order+Completed", '{"type":"track","event":"Order Completed"}'),
        (b"b=1&a=2&b=3", '{"b":"3","a":"2"}'),
        (b"properties[id]=7&tags[]=x&tags[]=y", '{"properties[id]":"7","tags[]":"y"}'),
        (b"properties=%5Bobject+Object%5D", '{"properties":"[object Object]"}'),
        (b"a=&b", '{"a":"","b":""}'),
        ("name=Zoë&city=K%C3%B6ln".encode(), '{"name":"Zoë","city":"Köln"}'),
        (b"a=%zz%", '{"a":"%zz%"}'),
        (b"a=1;b=2", '{"a":"1;b=2"}'),
    ],
)
def test_fields_become_texts(form: bytes, text: str) -> None:
    assert forms.to_json(form).decode() == text


@pytest.mark.parametrize("form", [b"a=\xff", b"a=%FF", b"%ED%A0%80=x", b"a=1&" * 1001])
def test_what_cannot_be_read_is_refused(form: bytes) -> None:
    with pytest.raises(MalformedMessage) as caught:
        forms.to_json(form)
    assert caught.value.code == "malformed_form"


def test_as_many_fields_as_allowed() -> None:
    names = [f"f{number}" for number in range(forms.MOST_FIELDS)]
    assert list(json.loads(forms.to_json("&".join(f"{name}=1" for name in names).encode()))) == names


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=20))
def test_whatever_is_written_as_a_form_comes_back(pairs: list[tuple[str, str]]) -> None:
    assert json.loads(forms.to_json(urlencode(pairs).encode())) == dict(pairs)


@given(st.binary())
def test_any_bytes_are_an_object_or_refused(body: bytes) -> None:
    with contextlib.suppress(MalformedMessage):
        assert isinstance(json.loads(forms.to_json(body)), dict)


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (b'{"body":"type=track&userId=u%201"}', b'{"type":"track","userId":"u 1"}'),
        (b'{"body":"a=\\u00e9"}', '{"a":"é"}'.encode()),
        (b'{"body":"type=track","type":"track"}', None),
        (b'{"body":"hello"}', None),
        (b'{"body":""}', None),
        (b'{"body":{"a":"b=c"}}', None),
        (b'{"body":null}', None),
        (b'{"body":"a=%FF"}', None),
        (b'{"body":"' + b"a=1&" * 1001 + b'"}', None),
        (b'{"json":"a=b"}', None),
        (b"{}", None),
    ],
)
def test_a_batch_item_that_is_only_a_form(item: bytes, text: bytes | None) -> None:
    assert forms.form_in(json_text.members(item)) == text


@given(st.text())
def test_any_text_in_a_batch_item_is_an_object_or_left_alone(text: str) -> None:
    found = forms.form_in(json_text.members(json.dumps({"body": text}).encode()))
    assert found is None or isinstance(json.loads(found), dict)
