"""Times as people write them, and as tables show them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.cli.times import age, full, minute, moment, short

NOW = 1_785_412_984_123  # 2026-07-30T12:03:04.123Z
HOUR = 3_600_000
MIDNIGHT = 1_785_369_600_000


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("now", NOW),
        ("1h", NOW - HOUR),
        ("1h ago", NOW - HOUR),
        ("1h30m", NOW - HOUR * 3 // 2),
        ("2D ago", NOW - 48 * HOUR),
        ("today", MIDNIGHT),
        ("Yesterday", MIDNIGHT - 24 * HOUR),
        ("2026-07-30", MIDNIGHT),
        ("2026-07-30T12:03:04.123Z", NOW),
        ("2026-07-30 12:03:04.123", NOW),
        ("2026-07-30T14:03:04.123+02:00", NOW),
        ("1970-01-01", 0),
        ("1900-01-01", 0),
        ("99999d", 0),
    ],
)
def test_a_moment(text: str, ms: int) -> None:
    assert moment(text, NOW) == ms


@pytest.mark.parametrize("text", ["", "soon", "1x", "ago", "2026-13-01", "17", "1h later", "\x00"])
def test_what_is_no_moment_is_answered_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match="write for example 2026-07-30"):
        moment(text, NOW)


@given(st.text())
def test_nothing_else_is_raised(text: str) -> None:
    with suppress(ValueError):
        assert moment(text, NOW) >= 0


@pytest.mark.parametrize(
    ("ms", "words"),
    [(0, "0s"), (59_999, "59s"), (60_000, "1m"), (HOUR, "1h"), (47 * HOUR, "1d"), (-5, "0s")],
)
def test_age_is_one_unit(ms: int, words: str) -> None:
    assert age(NOW - ms, NOW) == words


def test_how_times_are_shown() -> None:
    assert age(None, NOW) == ""
    assert short(NOW, NOW) == "12:03:04"
    assert short(NOW, NOW + 24 * HOUR) == "07-30 12:03"
    assert minute(NOW) == "2026-07-30 12:03"
    assert full(NOW, NOW + 180_000) == "2026-07-30T12:03:04.123Z (3m ago)"
    assert full(NOW, NOW - HOUR) == "2026-07-30T12:03:04.123Z (in 1h)"
