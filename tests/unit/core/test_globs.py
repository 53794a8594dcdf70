"""Globs as Segment's `match` has them."""

import pytest

from receiver.core.globs import GlobError, compile_glob

MATCHES = [
    *(("Order *", "Order Completed"), ("Order *", "Order "), ("*", ""), ("*", "a\nb"), ("**", "x")),
    *(("*ed", "Order Completed"), ("a*b*c", "a-b-b-c"), ("a*b*c", "abc"), ("*a*", "bab"), ("", "")),
    *(("?", "é"), ("?", "\n"), ("?", "😀"), ("a?c", "a/c"), ("*.x", ".x"), ("a", "a")),
    *(("[abc]", "b"), ("[a-z]", "m"), ("[a-z0-9_]x", "_x"), ("[^abc]", "d"), ("[^a]", "^"), ("[a^]", "^")),
    *(("[*?[]", "*"), ("[*?[]", "["), ("[!a]", "!"), ("[!a]", "a"), (r"[\]]", "]"), (r"[a\-z]", "-")),
    *(("[à-ü]", "é"), ("[😀-😎]", "😂"), ("[z-ac]", "c"), ("[^z-a]", "q"), (r"\*", "*"), (r"\a", "a")),
    *(("]", "]"), ("a-b", "a-b"), ("^a$", "^a$"), ("{a,b}", "{a,b}"), ("a.c", "a.c"), ("a+(b|c)", "a+(b|c)")),
    *((r"\[a]", "[a]"), (r"[\^a]", "^"), ("[a-a]", "a"), (r"[\a-\c]", "b"), ("\ud83d*", "\ud83dx")),
]
REFUSES = [
    *(
        ("Order *", "order completed"),
        ("Order *", "Orders"),
        ("Order *", "My Order x"),
        ("?", ""),
        ("?", "ab"),
    ),
    *(("a*b", "a"), ("a*b", "ba"), ("a*b*c", "acb"), ("ab*ba", "aba"), ("a", "a\n"), ("a", "A"), ("", "a")),
    *(("[abc]", "d"), ("[a-z]", "A"), ("[^abc]", "a"), ("[^a]", ""), ("[z-a]", "m"), (r"[a\-z]", "b")),
    *(("a.c", "abc"), (r"\*", "x"), (r"\?", "x"), ("{a,b}", "a"), ("[!a]", "b"), ("a*", "ba")),
]


@pytest.mark.parametrize(("pattern", "text"), MATCHES)
def test_pattern_fits(pattern: str, text: str) -> None:
    assert compile_glob(pattern).match(text)


@pytest.mark.parametrize(("pattern", "text"), REFUSES)
def test_pattern_does_not_fit(pattern: str, text: str) -> None:
    assert not compile_glob(pattern).match(text)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        *(("[abc", "no closing"), ("a[", "no closing"), ("[^", "no closing"), ("[a-", "no closing")),
        *(("[]", "empty"), ("[]a]", "empty"), ("[^]", "empty"), ("[a-]", "empty")),
        *(
            ("[-a]", "between two"),
            ("[a-b-c]", "between two"),
            ("[^-a]", "between two"),
            ("[a--]", "between two"),
        ),
        *(("a\\", "lone"), ("[a\\", "lone")),
    ],
)
def test_malformed_patterns_say_what_is_wrong(pattern: str, said: str) -> None:
    with pytest.raises(GlobError, match=said):
        compile_glob(pattern)


@pytest.mark.parametrize(
    ("pattern", "literal"),
    [
        ("Order Completed", "Order Completed"),
        (r"a\*b", "a*b"),
        ("a*", None),
        ("a?", None),
        ("[a]", None),
        ("", ""),
    ],
)
def test_a_pattern_without_wildcards_is_known_as_plain_text(pattern: str, literal: str | None) -> None:
    assert compile_glob(pattern).literal == literal


def test_nothing_backtracks() -> None:
    """With a careless regular expression this would run for longer than the universe is old."""
    assert not compile_glob("*a" * 40 + "b").match("a" * 20_000)
    assert not compile_glob("*[a-z]?" * 20 + "!").match("a" * 20_000)
