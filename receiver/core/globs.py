"""Glob patterns as Segment's `match` has them (`*`, `?`, `[a-z]`, `[^a]`, `\\x`): case-sensitive, whole text.

A pattern becomes one regular expression without a way to backtrack: every part between two stars has a fixed
length and, once found leftmost, is never tried elsewhere (an atomic group). So a hostile text costs at most
its length times the pattern's.
"""

import re
from dataclasses import dataclass


class GlobError(ValueError):
    """The pattern is malformed; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Glob:
    """A compiled pattern."""

    pattern: str
    literal: str | None
    """The only text it matches, when it has no wildcard."""
    _regex: re.Pattern[str]

    def match(self, text: str) -> bool:
        """Whether the whole text fits."""
        return self._regex.match(text) is not None


def compile_glob(pattern: str) -> Glob:
    """Read a pattern once; raises GlobError."""
    runs, literal = _runs(pattern)
    first, *rest = runs
    regex = first
    if rest:
        regex += "".join(f"(?>.*?{run})" for run in rest[:-1]) + f".*{rest[-1]}"
    return Glob(pattern, literal if not rest else None, re.compile(regex + r"\Z", re.DOTALL))


def _runs(pattern: str) -> tuple[list[str], str | None]:
    """The regular expressions between the stars; and the plain text, if there is nothing but that."""
    runs, text, plain, at = [""], "", True, 0
    while at < len(pattern):
        char = pattern[at]
        if char == "*":
            if len(runs) == 1 or runs[-1]:
                runs.append("")
            at += 1
        elif char == "?":
            runs[-1] += "."
            plain, at = False, at + 1
        elif char == "[":
            one, at = _set(pattern, at + 1)
            runs[-1] += one
            plain = False
        else:
            one, at = _char(pattern, at)
            runs[-1] += _quoted(one)
            text += one
    return runs, text if plain else None


def _set(pattern: str, at: int) -> tuple[str, int]:
    """What follows a `[`, as one regular expression for one character, and where it ends."""
    start = at - 1
    negated = pattern.startswith("^", at)
    at += negated
    ranges, count = "", 0
    while not pattern.startswith("]", at) or not count:
        low, at = _member(pattern, at, start)
        high = low
        if pattern.startswith("-", at):
            high, at = _member(pattern, at + 1, start)
        if low <= high:
            ranges += f"{_quoted(low)}-{_quoted(high)}"
        count += 1
    if not ranges:
        return ("." if negated else "(?!)"), at + 1
    return f"[{'^' if negated else ''}{ranges}]", at + 1


def _member(pattern: str, at: int, start: int) -> tuple[str, int]:
    """One character of a set: never a bare `]` or `-`, which would leave the set or a range unfinished."""
    if at >= len(pattern):
        raise GlobError(f"the set that begins at character {start + 1} of {pattern!r} has no closing `]`")
    if pattern[at] in "]-":
        what = (
            "a set must not be empty" if pattern[at] == "]" else "`-` in a set stands between two characters"
        )
        raise GlobError(
            f"{what} (character {at + 1} of {pattern!r}); write \\{pattern[at]} to mean the character"
        )
    return _char(pattern, at)


def _char(pattern: str, at: int) -> tuple[str, int]:
    """One plain or escaped character, and where it ends."""
    if pattern[at] != "\\":
        return pattern[at], at + 1
    if at + 1 == len(pattern):
        raise GlobError(f"{pattern!r} ends with a lone `\\`; write \\\\ to mean the character")
    return pattern[at + 1], at + 2


def _quoted(char: str) -> str:
    return f"\\U{ord(char):08x}"
