"""Delays stay within their bounds whatever the attempt, the luck and the destination say."""

from hypothesis import given
from hypothesis import strategies as st

from receiver.core import backoff, units

LUCK = st.floats(0, 1, exclude_max=True)
DELAYS = st.lists(st.floats(0, 30 * 86400), max_size=50)


@given(DELAYS, st.integers(0, 10**6), LUCK)
def test_a_delay_is_never_negative_nor_far_from_its_schedule(
    schedule: list[float], attempt: int, luck: float
) -> None:
    delay = backoff.delay_s(schedule, attempt, lambda: luck)
    if max(attempt, 1) > len(schedule):
        assert delay is None
    else:
        planned = schedule[max(attempt, 1) - 1]
        assert delay is not None
        assert 0 <= planned * 0.79 <= delay <= planned * 1.21


@given(st.floats(0, 1e9), st.none() | st.floats(0, 1e12))
def test_retry_after_never_brings_an_attempt_forward(delay: float, after: float | None) -> None:
    pushed = backoff.with_retry_after(delay, after)
    assert delay <= pushed <= max(delay, backoff.RETRY_AFTER_MAX_S)


@given(st.text(max_size=80) | st.text("0123456789:, GMTJanSun+-.", max_size=64), st.integers(0, 2**45))
def test_any_header_is_a_delay_or_nothing(value: str, now_ms: int) -> None:
    seconds = backoff.parse_retry_after(value, now_ms)
    assert seconds is None or 0 <= seconds < 1e13


@given(st.integers(1, 10**9))
def test_durations_are_read_back(seconds: int) -> None:
    assert units.seconds(units.human_seconds(seconds)) == seconds


@given(st.text(max_size=20))
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    for read in (units.seconds, units.size_bytes):
        try:
            assert read(text) >= 0
        except ValueError as error:
            said = str(error)
        else:
            continue
        assert "write for example" in said
