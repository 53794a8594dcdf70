"""What is FQL and what is not: Segment's lexical rules and grammar row by row, and our choices."""

import pytest

from receiver.core.fql import FqlError, compile_fql

MESSAGE = {
    "type": "track",
    "event": "Order Completed",
    "order": True,
    "android": True,
    "nullable": True,
    "inbox": True,
    "TRUE": "loud",
    "a": {"b": True, "1st": True, "-x": True, "or": True, "in": True, "true": True, "c d": True, "b.c": True},
    "a-1": True,
    "café": True,
    "$id": True,
    "plan": True,
    "yes": True,
    "no": False,
    "text": "x\\",
    "quotes": "it's",
    "break": "a\nb",
    "n": -3.2,
    "five": 5,
    "length": 3,
    "list": ["a", "b"],
}

TRUE = [
    # strings: both quotes, no escapes
    "event = 'Order Completed'",
    'event = "Order Completed"',
    'quotes = "it\'s"',
    "'\"' = '\"'",
    "break = 'a\nb'",
    "length( 'a\\nb' ) = 4",
    "text = 'x\\'",
    "'é😀' = 'é😀'",
    "match( 'ab*d', 'ab\\*d' )",
    # numbers
    "n = -3.2",
    "five = +5",
    "five=5",
    "five = 5.0",
    "five>-5",
    "five = 005",
    # literals, case-sensitive
    "yes = true",
    "no = false",
    "missing = null",
    "TRUE = 'loud'",
    "NULL = null",
    # lists
    "'track' in [event, type]",
    "!( type in [] )",
    "list = [ 'a' , 'b' ]",
    "[1,[2,[]]] = [ 1, [ 2, [ ] ] ]",
    "[ lowercase( 'A' ), length( list ) ] = [ 'a', 2 ]",
    # identifiers and escapes
    "a-1",
    "caf\\é",
    "\\$id",
    "a.c\\ d",
    "a.b\\.c",
    "pla\\n",
    "\\true = null",
    "\\and = null",
    # after a dot
    "a.1st",
    "a.-x",
    "a.or",
    "a.in",
    "a.true",
    "a.\\or",
    "a.\\1st",
    "a . b",
    # whole words
    "android",
    "order",
    "nullable",
    "inbox",
    # white space and spacing
    "\t yes\r\n= true ",
    "contains ( event , 'Order' )",
    "contains(event,'Order')",
    "five!=6",
    "five<=5",
    "five<6",
    "event='Order Completed'and yes",
    "! no",
    "!!yes",
    "!!!no",
    "type in['track']",
    "yes and(yes)",
    "(yes)or(no)",
    # precedence and grouping
    "no and no or yes",
    "yes or no and no",
    "!( yes and ( no or no ) )",
    "!contains( event, 'x' ) and yes",
    "!no and !no",
    "( five ) = ( ( 5 ) )",
    "( five = 5 ) = true",
    "( !yes ) = no",
    "length = 3",
    "length( list ) = 2 and length = 3",
    "a.length = null",
]

FALSE = ["type = track", "yes and no", "no or no", "!yes", "!( yes or no )", "( no or yes ) and no", "!!no"]

REFUSED = [
    # (statement, character, part of the reason)
    ("", 0, "empty"),
    (" \n", 2, "empty"),
    ("event = 'abc", 8, "closing '"),
    ("event = \"abc'", 8, 'closing "'),
    ("'it's'", 5, "closing '"),
    ("five = 5.", 8, "number"),
    ("five = .5", 7, "missing before ."),
    ("five = 1.2.3", 10, "number"),
    ("five = 1e3", 8, "number"),
    ("five = 0x10", 8, "number"),
    ("five = 1_000", 8, "number"),
    ("five = - 5", 7, "sign"),
    ("five = -x", 7, "sign"),
    ("five = 5abc", 8, "number"),
    ("five 5", 5, "cannot follow"),
    ("five -1", 5, "cannot follow"),
    ("five + 1", 5, "sign"),
    ("five + five", 5, "sign"),
    ("type in ['a',]", 13, "missing before ]"),
    ("type in ['a' 'b']", 13, "comma"),
    ("type in [,]", 9, "missing before ,"),
    ("type in ['a'", 12, "missing before the end"),
    ("type IN ['track']", 5, "cannot follow"),
    ("yes AND yes", 4, "cannot follow"),
    ("yes OR yes", 4, "cannot follow"),
    ("$id", 0, "write \\$"),
    ("é = 1", 0, "write \\é"),
    ("a.b c", 4, "cannot follow"),
    ("a.", 2, "after the point"),
    ("a..b", 2, "after the point"),
    ("in.x = 1", 0, "missing before in"),
    ("true.x", 4, "cannot follow"),
    ("a\\", 1, "lone \\"),
    ("yes \u00a0", 4, "no meaning"),
    ("\x00", 0, "no meaning"),
    # not in the language
    ("five == 5", 5, "FQL writes ="),
    ("yes && yes", 4, "FQL writes and"),
    ("no || yes", 3, "FQL writes or"),
    ("five <> 6", 5, "FQL writes !="),
    ("five = 5 # five", 9, "no meaning"),
    ("five = 5 // five", 9, "no meaning"),
    ("five * 2 = 10", 5, "no meaning"),
    # grammar
    ("!five = 5", 6, "two ways"),
    ("!!five = 5", 7, "two ways"),
    ("five = !yes", 7, "missing before !"),
    ("1 < five < 9", 9, "chained"),
    ("five = five = five", 12, "chained"),
    ("five in list in list", 13, "chained"),
    ("event.contains( 'a' )", 14, "no functions"),
    ("list[0] = 'a'", 4, "items.0"),
    ("a['b']", 1, "items.0"),
    ("yes and", 7, "missing before the end"),
    ("and yes", 0, "missing before and"),
    ("yes and or yes", 8, "missing before or"),
    ("five =", 6, "missing before the end"),
    ("= 5", 0, "missing before ="),
    ("five ! = 5", 5, "cannot follow"),
    ("( yes", 5, "missing before the end"),
    ("yes )", 4, "cannot follow"),
    ("()", 1, "missing before )"),
    ("Contains( event, 'a' )", 0, "no function"),
    ("exists( event )", 0, "no function exists; there are contains, match,"),
    ("tolower( event )", 0, "no function"),
    ("lowerCase( event )", 0, "did you mean lowercase?"),
    ("contains( event )", 0, "takes 2"),
    ("length()", 0, "takes 1"),
    ("lowercase( event, 'x' )", 0, "takes 1"),
    ("semver( event, '=' )", 0, "takes 3"),
    ("contains( event, )", 17, "missing before )"),
]


@pytest.mark.parametrize("statement", TRUE)
def test_true(statement: str) -> None:
    assert compile_fql(statement)(MESSAGE) is True


@pytest.mark.parametrize("statement", FALSE)
def test_false(statement: str) -> None:
    assert compile_fql(statement)(MESSAGE) is False


@pytest.mark.parametrize(("statement", "position", "reason"), REFUSED)
def test_refused(statement: str, position: int, reason: str) -> None:
    with pytest.raises(FqlError) as raised:
        compile_fql(statement)
    assert reason in raised.value.reason
    assert raised.value.position == position


def test_the_longest_statement_has_5120_bytes() -> None:
    longest = "event = '" + "é" * ((5120 - 10) // 2) + "'"
    assert len(longest.encode()) == 5120
    assert not compile_fql(longest)(MESSAGE)
    with pytest.raises(FqlError, match="longer than 5,120 bytes"):
        compile_fql(longest + " ")


@pytest.mark.parametrize(
    ("opening", "inner", "closing"),
    [("(", "yes", ")"), ("[", "", "]"), ("typeof(", "yes", ")"), ("!(", "yes", ")")],
)
def test_a_hundred_levels_of_nesting(opening: str, inner: str, closing: str) -> None:
    compile_fql(opening * 100 + inner + closing * 100)(MESSAGE)
    with pytest.raises(FqlError, match="nested deeper than 100 levels"):
        compile_fql(opening * 101 + inner + closing * 101)


def test_length_alone_is_no_nesting() -> None:
    assert compile_fql("!" * 4000 + "yes")(MESSAGE)
    assert not compile_fql("!" * 4001 + "yes")(MESSAGE)
    assert compile_fql(" and ".join(["yes"] * 600))(MESSAGE)
    assert compile_fql(" or ".join(["no"] * 600) + " or yes")(MESSAGE)


def test_the_caret_stands_below_the_place() -> None:
    with pytest.raises(FqlError) as raised:
        compile_fql("type = 'track'\n  and five == 5")
    assert str(raised.value) == "FQL writes = for == (at character 27)"
    assert raised.value.caret() == "  and five == 5\n           ^"


@pytest.mark.parametrize("before", [0, 30, 71, 72, 73, 400])
@pytest.mark.parametrize("after", [0, 1, 400])
def test_a_long_line_is_shown_around_the_caret(before: int, after: int) -> None:
    with pytest.raises(FqlError) as raised:
        compile_fql("x" * before + "\t€" + "y" * after)
    line, caret = raised.value.caret().split("\n")
    assert line[caret.index("^")] == "€"
    assert len(line) <= 74
    assert "\t" not in line


def test_a_caret_at_the_end_stands_behind_the_statement() -> None:
    with pytest.raises(FqlError) as raised:
        compile_fql("yes and")
    assert raised.value.caret() == "yes and\n       ^"
