"""What statements say of messages: every row of Segment's tables of values, operators and functions, and our
choices where they are silent."""

from typing import Any

import pytest

from receiver.core.fql import compile_fql

MESSAGE: dict[str, Any] = {
    "type": "track",
    "event": "Order Completed",
    "userId": None,
    "yes": True,
    "no": False,
    "properties": {
        "revenue": 100.0,
        "count": 5,
        "text": "5",
        "big": 2**70,
        "bigger": 2**70 + 1,
        "huge": float("inf"),
        "empty": "",
        "tags": ["a", "b", 1, True, None, 2.0],
        "none": [],
        "items": [{"price": 10}, {"price": 20}],
        "0": "zero",
        "nested": {"x": 1, "y": [1.0, {"z": None}]},
        "same": {"x": 1.0, "y": [1, {"z": None}]},
        "turned": {"y": [1, {"z": None}], "x": 1},
        "katakana": "ア",
        "lone": "\ud83d",
        "version": "3.10.0-rc1",
    },
}

VALUES = [
    # only boolean true matches
    ("yes", True),
    ("event", False),
    ("1", False),
    ("'true'", False),
    ("[true]", False),
    ("null", False),
    ("true", True),
    ("lowercase( event )", False),
    ("properties", False),
    # missing is null; no way into scalars and lists
    ("missing = null", True),
    ("userId = null", True),
    ("missing.deep.path = null", True),
    ("event.x = null", True),
    ("event.length = null", True),
    ("properties.items.price = null", True),
    ("properties.items.0.price = 10", True),
    ("properties.items.\\1.price = 20", True),
    ("properties.items.01.price = 20", True),
    ("properties.items.2.price = null", True),
    ("properties.items.99999999999999999999 = null", True),
    ("properties.items.-1 = null", True),
    ("properties.0 = 'zero'", True),
    ("event.0 = null", True),
    ("Event = null", True),
    # one number type, nothing coerced
    ("properties.count = 5.0", True),
    ("properties.revenue = 100", True),
    ("properties.text = 5", False),
    ("properties.count = '5'", False),
    ("yes = 1", False),
    ("no = 0", False),
    ("1 = yes", False),
    ("yes = properties.tags.2", False),
    ("properties.big = 1180591620717411303424", True),
    ("properties.big = properties.bigger", False),
    ("properties.huge > 99999999999999999999999999", True),
]

OPERATORS = [
    # and, or, not: only boolean true counts
    ("event and yes", False),
    ("event or yes", True),
    ("event or 1", False),
    ("null or null", False),
    ("!null", True),
    ("!missing", True),
    ("!event", True),
    ("!'x'", True),
    ("!!event", False),
    ("!yes", False),
    # equality
    ("null = null", True),
    ("null = false", False),
    ("'' = null", False),
    ("[] = null", False),
    ("missing != 'x'", True),
    ("missing != null", False),
    ("missing != 5", True),
    ("event != 5", True),
    ("yes != true", False),
    ("[1, 2] = [1.0, 2.0]", True),
    ("[1, 2] = [2, 1]", False),
    ("[1] = [1, 1]", False),
    ("[1] = [true]", False),
    ("['1'] = [1]", False),
    ("[[1]] = [[1]]", True),
    ("[null] = [missing]", True),
    ("properties.tags = ['a', 'b', 1, true, null, 2]", True),
    ("properties.nested = properties.same", True),
    ("properties.nested = properties.turned", False),
    ("properties.nested != properties.turned", True),
    ("properties.nested = 'x'", False),
    # orderings: numbers only
    ("properties.revenue > 99", True),
    ("properties.revenue >= 100", True),
    ("properties.revenue <= 100", True),
    ("properties.revenue < 100", False),
    ("99 < properties.revenue", True),
    ("properties.count < properties.revenue", True),
    ("null >= null", False),
    ("missing < 1", False),
    ("missing >= 0", False),
    ("1 > missing", False),
    ("'a' < 'b'", False),
    ("'2' > 1", False),
    ("2 > '1'", False),
    ("yes > 0", False),
    ("yes >= true", False),
    ("[2] > [1]", False),
    # in
    ("'a' in properties.tags", True),
    ("'c' in properties.tags", False),
    ("1.0 in properties.tags", True),
    ("2 in properties.tags", True),
    ("'1' in properties.tags", False),
    ("no in properties.tags", False),
    ("null in [null]", True),
    ("missing in [null]", True),
    ("null in ['a']", False),
    ("true in [1]", False),
    ("event in ['x', 'Order Completed']", True),
    ("properties.tags in ['x', 'y']", False),
    ("[1] in [[1]]", True),
    ("'rde' in event", False),
    ("'revenue' in properties", False),
    ("null in null", False),
    ("'a' in missing", False),
]

FUNCTIONS = [
    # contains
    ("contains( event, 'Order' )", True),
    ("contains( event, 'order' )", False),
    ("contains( event, '' )", True),
    ("contains( event, '*' )", False),
    ("contains( missing, '' )", False),
    ("contains( event, missing )", False),
    ("contains( properties.tags, 'a' )", False),
    ("contains( properties.count, '5' )", False),
    ("!contains( missing, 'x' )", True),
    # match; the patterns have their own tests
    ("match( event, 'Order *' )", True),
    ("match( event, 'Order' )", False),
    ("match( event, 'order *' )", False),
    ("match( event, event )", True),
    ("match( 'a/b\n', 'a*' )", True),
    ("match( '😀', '?' )", True),
    ("match( properties.lone, '?' )", True),
    ("match( 'a*', 'a\\*' )", True),
    ("match( 'b', '[!a]' )", False),
    ("match( '', '' )", True),
    ("match( missing, '*' )", False),
    ("match( event, missing )", False),
    ("match( properties.count, '5' )", False),
    ("match( ']', '[]a]' )", False),
    ("!match( ']', '[]a]' )", True),
    ("match( 'a', lowercase( '[A-' ) )", False),
    # length
    ("length( 'abc' ) = 3", True),
    ("length( properties.katakana ) = 3", True),
    ("length( '😀' ) = 4", True),
    ("length( properties.lone ) = 3", True),
    ("length( '' ) = 0", True),
    ("length( properties.tags ) = 6", True),
    ("length( [] ) = 0", True),
    ("length( userId ) < 1", True),
    ("length( missing ) = 0", True),
    ("length( properties.count ) = null", True),
    ("length( properties.count ) >= 0", False),
    ("length( yes ) = null", True),
    ("length( properties ) = null", True),
    # case
    ("lowercase( 'ÀB' ) = 'àb'", True),
    ("uppercase( 'àb' ) = 'ÀB'", True),
    ("lowercase( missing ) = null", True),
    ("uppercase( missing ) = null", True),
    ("lowercase( 5 ) = null", True),
    ("uppercase( properties.tags ) = null", True),
    ("snakecase( 'Test my  string-x' ) = 'Test_my__string-x'", True),
    ("kebabcase( 'Test my_string' ) = 'Test-my_string'", True),
    ("snakecase( 'a\tb' ) = 'a\tb'", True),
    ("titlecase( 'test string' ) = 'Test String'", True),
    ("titlecase( ' tEST  aB' ) = ' TEST  AB'", True),
    ("snakecase( null ) = null", True),
    ("kebabcase( 5 ) = null", True),
    ("titlecase( yes ) = null", True),
    # typeof
    ("typeof( event ) = 'string'", True),
    ("typeof( properties.count ) = 'number'", True),
    ("typeof( properties.revenue ) = 'number'", True),
    ("typeof( properties.tags ) = 'list'", True),
    ("typeof( no ) = 'bool'", True),
    ("typeof( userId ) = 'null'", True),
    ("typeof( missing ) = 'null'", True),
    ("typeof( properties ) = 'object'", True),
    # bool
    ("bool( null )", False),
    ("bool( missing ) = false", True),
    ("bool( 0 )", False),
    ("bool( -0.0 )", False),
    ("bool( 2 )", True),
    ("bool( '' )", False),
    ("bool( '0' )", False),
    ("bool( 'FALSE' )", False),
    ("bool( '0.0' )", True),
    ("bool( 'no' )", True),
    ("bool( [] )", False),
    ("bool( [0] )", True),
    ("bool( yes ) = yes", True),
    ("bool( no ) = no", True),
    ("bool( properties )", True),
    # string
    ("string( 42 ) = '42'", True),
    ("string( 2.50 ) = '2.5'", True),
    ("string( properties.revenue ) = '100'", True),
    ("string( -0.0 ) = '0'", True),
    ("string( 1000000000000000000000000.0 ) = '1000000000000000000000000'", True),
    ("string( 0.0000001 ) = '0.0000001'", True),
    ("string( properties.big ) = '1180591620717411303424'", True),
    ("string( properties.huge ) = null", True),
    ("string( [properties.huge] ) = '[null]'", True),
    ("string( event ) = event", True),
    ("string( yes ) = 'true'", True),
    ("string( no ) = 'false'", True),
    ("string( null ) = null", True),
    ("string( [1, 'é\"', [], null, true, 2.0] ) = '[1,\"é\\\"\",[],null,true,2]'", True),
    ('string( properties.nested ) = \'{"x":1,"y":[1,{"z":null}]}\'', True),
    # number
    ("number( '19.99' ) = 19.99", True),
    ("number( '-5' ) = -5", True),
    ("number( '+5' ) = 5", True),
    ("number( 7.5 ) = 7.5", True),
    ("number( '1e3' ) = null", True),
    ("number( ' 5' ) = null", True),
    ("number( '5\n' ) = null", True),
    ("number( '٣' ) = null", True),
    ("number( '.5' ) = null", True),
    ("number( '' ) = null", True),
    ("number( null ) = null", True),
    ("number( yes ) = null", True),
    ("number( [] ) = null", True),
    # semver
    ("semver( '1.10.0', '>', '1.9' )", True),
    ("semver( '1', '=', '1.0.0' )", True),
    ("semver( '1.2', '<', '1.2.1' )", True),
    ("semver( '1.2', '<=', '1.2.0' )", True),
    ("semver( '2', '>=', '1.99.99' )", True),
    ("semver( '2', '!=', '2.0' )", False),
    ("semver( '2', '!=', '2.0.1' )", True),
    ("semver( '01.2', '=', '1.02' )", True),
    ("semver( '1.2.3-rc1', '=', '1.2.3' )", True),
    ("semver( properties.version, '>=', '3.9' )", True),
    ("semver( '1.2.3.4', '=', '1.2.3.4' )", False),
    ("semver( 'v1', '=', 'v1' )", False),
    ("semver( '1..2', '=', '1.0.2' )", False),
    ("semver( '', '=', '' )", False),
    ("semver( 1, '=', 1 )", False),
    ("semver( missing, '=', '1' )", False),
    ("semver( '1', '==', '1' )", False),
    ("semver( '1', missing, '1' )", False),
    ("semver( '1', [], '1' )", False),
    # calls nest
    ("contains( lowercase( event ), 'order' )", True),
    ("length( string( properties.tags ) ) > 6", True),
    ("match( snakecase( lowercase( event ) ), 'order_*' )", True),
]


@pytest.mark.parametrize(("statement", "expected"), [*VALUES, *OPERATORS, *FUNCTIONS])
def test_statement(statement: str, expected: bool) -> None:
    assert compile_fql(statement)(MESSAGE) is expected


def test_numbers_of_any_size() -> None:
    digits = "9" * 5000
    assert compile_fql(f"{digits} > 5")({})
    assert compile_fql("number( x ) > 5 and number( x ) = number( x )")({"x": digits})
    assert compile_fql("string( x ) != null and string( [x] ) != null")({"x": 10**5000})
    assert compile_fql("semver( x, '>', '1' )")({"x": digits})


def test_a_pattern_of_the_message_is_bounded() -> None:
    asked = compile_fql("match( text, pattern )")
    assert asked({"text": "a" * 256, "pattern": "?" * 256})
    assert not asked({"text": "a" * 257, "pattern": "?" * 257})
    assert compile_fql(f"match( text, '{'?' * 257}' )")({"text": "a" * 257})


def test_deep_values_are_compared_and_written() -> None:
    deep: Any = 1
    for _ in range(20_000):
        deep = [deep]
    message = {"a": deep, "b": [deep]}
    assert compile_fql("a != b and a = a and length( string( b ) ) = 40003")(message)


def test_the_deepest_statement_is_asked_far_down_a_stack() -> None:
    predicate = compile_fql("( no or yes and !" * 100 + "no" + " )" * 100)

    def below(frames: int) -> bool:
        return below(frames - 1) if frames else predicate({"yes": True})

    assert below(400) is predicate({"yes": True})


def test_roots_and_paths() -> None:
    predicate = compile_fql("a.b\\.c = 1 and lowercase( a.d ) in [e, 'x'] or !f")
    assert predicate.roots == {"a", "e", "f"}
    assert predicate.paths == {("a", "b.c"), ("a", "d"), ("e",), ("f",)}


def test_any_mapping_will_do() -> None:
    class Rising(dict[str, Any]):
        """Like the message with the outputs of steps laid over it."""

    assert compile_fql("steps.who.plan = 'pro'")(Rising(steps={"who": {"plan": "pro"}}))


@pytest.mark.parametrize(
    ("statement", "types"),
    [
        ("type = 'a'", {"a"}),
        ("'a' = type and x", {"a"}),
        ("type in ['a', 'b'] and type in ['b', 'c']", {"b"}),
        ("type = 'a' or ( type = 'b' and x )", {"a", "b"}),
        ("type = 'a' and type = 'b'", set()),
        ("type = 'a' or x", None),
        ("type in ['a', null]", None),
        ("type = 5", None),
        ("type != 'a'", None),
        ("!( type = 'a' )", None),
        ("( type = 'a' ) = false", None),
        ("a.type = 'a'", None),
        ("lowercase( type ) = 'a'", None),
    ],
)
def test_what_a_field_must_be(statement: str, types: set[str] | None) -> None:
    assert compile_fql(statement).only("type") == types


@pytest.mark.parametrize(
    ("statement", "left"),
    [
        ("type = 'a'", True),
        ("type = 'b'", False),
        ("type = 'b' and x", False),
        ("type = 'a' and x", "x"),
        ("type = 'a' and ( x or y ) and !z", "( x or y ) and ( !z )"),
        ("type = 'a' or x", True),
        ("type = 'b' or x or y", "( x ) or ( y )"),
        ("( x and type = 'b' ) or ( type = 'b' and y )", False),
        ("( type = 'b' and x ) = false", "( type = 'b' and x ) = false"),
        ("x", "x"),
        ("true", True),
    ],
)
def test_what_one_field_leaves_open(statement: str, left: bool | str) -> None:
    found = compile_fql(statement).given({"type": "a"})
    assert (found if isinstance(found, bool) else found.text) == left
    if isinstance(left, str):
        assert found == compile_fql(left)


def test_what_several_fields_leave_open_one_after_the_other() -> None:
    predicate = compile_fql("type = 'a' and x.y > 1 and event = 'b' and !z")
    first = predicate.given({"type": "a"})
    assert not isinstance(first, bool)
    second = first.given({"event": "b"})
    assert not isinstance(second, bool)
    assert second.text == "( x.y > 1 ) and ( !z )"
    assert [one.text for one in second.judge({"x": {"y": 2}, "z": True})] == ["x.y > 1", "!z"]
    assert second({"x": {"y": 2}}) is True
    assert second({"x": {"y": 2}, "z": True}) is False
