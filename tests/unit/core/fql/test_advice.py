"""What valid statements are warned about."""

import pytest

from receiver.core.fql import compile_fql


@pytest.mark.parametrize(
    ("statement", "warning"),
    [
        ("type = 'a' or type = 'b' and event = 'c'", "say with ( )"),
        ("type = 'a' and ( type = 'b' or type = 'c' and event = 'd' )", "say with ( )"),
        ("receivedAt >= '2023-04-21T19:55:00.933Z'", ">= compares numbers only"),
        ("'a' < event", "< compares numbers only"),
        ("lowercase( event ) > 1", "> compares numbers only"),
        ("match( event, '[a' )", "fits nothing: the set"),
        ("match( event, 'a\\' )", "fits nothing"),
        ("type = track", "track is read as a field"),
        ("all", "all is read as a field of the message; for every message leave the condition out"),
        ("vip", "vip is read as a field"),
        ("'a' in 'abc'", "not a list"),
        ("contains( event, 5 )", "contains compares texts only"),
        ("match( event, ['a'] )", "match compares texts only"),
        ("semver( context.app.version, '~', '1' )", "semver knows the operators"),
        ("lowercase( event )", "the statement is a string"),
        ("5", "the statement is a number"),
        ("type = 'a' and 'b'", "a side of and, or is a string"),
        ("!'a'", "what follows ! is a string"),
        ("propertes.revenue > 5", "did you mean properties?"),
        ("userid = null", "did you mean userId?"),
    ],
)
def test_a_warning(statement: str, warning: str) -> None:
    (said,) = compile_fql(statement).warnings
    assert warning in said


@pytest.mark.parametrize(
    "statement",
    [
        "type = 'a' and ( type = 'b' or event = 'c' )",
        "( type = 'a' and event = 'x' ) or ( type = 'b' and event = 'y' )",
        "type = 'track' and properties.revenue > 100",
        "context.test and !( properties.ok )",
        "match( event, 'Order *' ) and 'x' in properties.tags",
        "x_custom = 'a' and semver( context.app.version, '>', '1' )",
        "properties.a = properties.b and userId != null and steps.who.plan = 'x'",
        "bool( properties.x )",
        "properties.vip",
    ],
)
def test_no_warning(statement: str) -> None:
    assert compile_fql(statement).warnings == ()
