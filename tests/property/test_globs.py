"""The compiled glob agrees with a matcher so simple that it is plainly right."""

from hypothesis import given
from hypothesis import strategies as st

from receiver.core.globs import GlobError, compile_glob

ALPHABET = "ab*?[]^-\\z\n"


def simple(pattern: str, text: str) -> bool:
    """Segment's rules, tried out in every way."""
    if not pattern:
        return not text
    head, rest = pattern[0], pattern[1:]
    if head == "*":
        return any(simple(rest, text[at:]) for at in range(len(text) + 1))
    if not text:
        return False
    if head == "?":
        return simple(rest, text[1:])
    if head == "[":
        fits, rest = in_set(rest, text[0])
        return fits and simple(rest, text[1:])
    if head == "\\":
        head, rest = rest[0], rest[1:]
    return head == text[0] and simple(rest, text[1:])


def in_set(pattern: str, char: str) -> tuple[bool, str]:
    negated = pattern.startswith("^")
    pattern = pattern[negated:]
    fits = False
    while not pattern.startswith("]"):
        low, pattern = member(pattern)
        high = low
        if pattern.startswith("-"):
            high, pattern = member(pattern[1:])
        fits = fits or low <= char <= high
    return fits != negated, pattern[1:]


def member(pattern: str) -> tuple[str, str]:
    return (pattern[1], pattern[2:]) if pattern[0] == "\\" else (pattern[0], pattern[1:])


@given(st.text(ALPHABET, max_size=10), st.text("ab*-]z\n", max_size=8))
def test_compiled_and_simple_agree(pattern: str, text: str) -> None:
    try:
        glob = compile_glob(pattern)
    except GlobError:
        return
    assert glob.match(text) == simple(pattern, text)
    if glob.literal is not None:
        assert glob.match(text) == (glob.literal == text)


@given(st.text(), st.text())
def test_any_pattern_compiles_or_says_what_is_wrong(pattern: str, text: str) -> None:
    said = ""
    try:
        fits = compile_glob(pattern).match(text)
    except GlobError as error:
        said = str(error)
    assert said or isinstance(fits, bool)


@given(st.text())
def test_an_escaped_text_fits_itself_and_nothing_else(text: str) -> None:
    glob = compile_glob("".join(f"\\{char}" for char in text))
    assert glob.match(text)
    assert glob.literal == text
    assert not glob.match(text + "x")
