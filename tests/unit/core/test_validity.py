"""Segment's own rejection codes, from the fields of a message alone."""

import pytest

from receiver.core import validity
from receiver.core.json_text import members
from tests.support.segment import SINGLE

ID = b'"userId":"u"'
CASES = {
    b'{"type":"track","event":"E",%b}' % ID: (),
    b'{"type":"track","event":"E","anonymousId":"a","userId":null}': (),
    b'{"type":"track","event":"E"}': ("no_user_anon_id",),
    b'{"type":"page","userId":null,"anonymousId":null}': ("no_user_anon_id",),
    b'{"type":"track","event":"E","userId":17}': ("id_not_string",),
    b'{"type":"track","event":"E","userId":"","anonymousId":"a"}': ("id_not_string",),
    b'{"type":"track","event":"E","userId":"u","anonymousId":{}}': ("id_not_string",),
    b'{"type":"track","event":"E","userId":true}': ("id_not_string",),
    b'{"type":"track",%b}' % ID: ("event_not_defined",),
    b'{"type":"track","event":"",%b}' % ID: ("event_not_defined",),
    b'{"type":"track","event":null,%b}' % ID: ("event_not_defined",),
    b'{"type":"track","event":7,%b}' % ID: ("event_not_string",),
    b'{"type":"track","event":["E"],%b}' % ID: ("event_not_string",),
    b'{"type":"track","event":"E","properties":[],%b}' % ID: ("properties_not_object",),
    b'{"type":"track","event":"E","properties":null,%b}' % ID: (),
    b'{"type":"track","event":"E","properties":"[object Object]",%b}' % ID: (),
    b'{"type":"track","event":"E","properties":"p","traits":"t",%b}' % ID: ("properties_not_object",),
    b'{"type":"page","properties":1,%b}' % ID: ("properties_not_object",),
    b'{"type":"page","name":null,"category":null,%b}' % ID: (),
    b'{"type":"page","name":"","category":"",%b}' % ID: ("name_not_string", "category_not_string"),
    b'{"type":"screen","name":[],"category":5,%b}' % ID: ("name_not_string", "category_not_string"),
    b'{"type":"identify","traits":"t",%b}' % ID: ("traits_not_object",),
    b'{"type":"identify","traits":{},%b}' % ID: (),
    b'{"type":"group",%b,"groupId":"g"}' % ID: (),
    b'{"type":"group",%b,"groupId":5,"traits":[]}' % ID: ("traits_not_object",),
    b'{"type":"group",%b}' % ID: ("id_required",),
    b'{"type":"group"}': ("no_user_anon_id", "id_required"),
    b'{"type":"alias",%b,"previousId":"p"}' % ID: (),
    b'{"type":"alias","anonymousId":"a","previousId":"p"}': ("id_required",),
    b'{"type":"alias","previousId":"p"}': ("no_user_anon_id",),
    b'{"type":"track"}': ("no_user_anon_id", "event_not_defined"),
    rb'{"type":"tr\u0061ck","event":"E"}': ("no_user_anon_id",),
    b'{"type":"delete","userId":5}': (),
    b'{"type":"something else"}': (),
    b'{"type":5}': (),
    b'{"type":null}': (),
    b"{}": (),
}


@pytest.mark.parametrize(("body", "codes"), CASES.items(), ids=[body.decode() for body in CASES])
def test_what_speaks_against_a_message(body: bytes, codes: tuple[str, ...]) -> None:
    assert validity.problems(members(body)) == codes


def test_every_message_segment_delivers_is_good() -> None:
    assert [validity.problems(members(line)) for line in SINGLE] == [()] * len(SINGLE)


def test_every_code_has_a_meaning_and_is_found_by_some_case() -> None:
    assert tuple(validity.MEANINGS) == validity.CODES
    assert {code for codes in CASES.values() for code in codes} == set(validity.CODES)
