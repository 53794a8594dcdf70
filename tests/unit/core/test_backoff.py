"""Retry schedules and what a destination's Retry-After may change."""

import pytest

from receiver.core import backoff

NOW_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z


def middle() -> float:
    return 0.5


@pytest.mark.parametrize(("name", "attempts", "hours"), [("standard", 10, 75.6), ("segment", 11, 4.1)])
def test_the_named_schedules_last_as_long_as_they_promise(name: str, attempts: int, hours: float) -> None:
    schedule = backoff.SCHEDULES[name]
    assert len(schedule) + 1 == attempts
    assert sum(schedule) / 3600 == pytest.approx(hours, abs=0.1)
    assert list(schedule) == sorted(schedule)


def test_attempts_follow_the_schedule_and_are_then_spent() -> None:
    assert [backoff.delay_s((5, 60), attempt, middle) for attempt in (1, 2, 3, 4)] == [5, 60, None, None]


def test_an_empty_schedule_means_one_attempt() -> None:
    assert backoff.delay_s((), 1, middle) is None


def test_jitter_moves_the_delay_by_up_to_a_fifth() -> None:
    assert backoff.delay_s((100,), 1, lambda: 0.0) == pytest.approx(80)
    assert backoff.delay_s((100,), 1, lambda: 0.999999) == pytest.approx(120, abs=0.01)


@pytest.mark.parametrize(
    ("delay", "after", "expected"),
    [(60, None, 60), (60, 5, 60), (60, 300, 300), (60, 10**9, 36000), (86400, 10**9, 86400), (60, 0, 60)],
)
def test_retry_after_only_pushes_later_and_no_further_than_ten_hours(
    delay: float, after: float | None, expected: float
) -> None:
    assert backoff.with_retry_after(delay, after) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *(("120", 120.0), (" 7 ", 7.0), ("0", 0.0), ("1.5", 1.5), ("Thu, 01 Jan 2026 00:02:00 GMT", 120.0)),
        *(("Thu, 01 Jan 2026 01:02:00 +0100", 120.0), ("Wed, 31 Dec 2025 23:00:00 GMT", 0.0)),
        ("Thu, 01 Jan 2026 00:00:30 -0000", 30.0),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(value: str, expected: float) -> None:
    assert backoff.parse_retry_after(value, NOW_MS) == expected


@pytest.mark.parametrize(
    "value",
    [
        *(None, "", " ", "soon", "-5", "+5", "1e9", "nan", "inf", "٣", "0x10", "9" * 13, "9" * 5000),
        *("Thu, 99 Foo 2026 99:99:99 GMT", "Thu, 01 Jan 99999 00:00:00 GMT", "a" * 65, "\x00", "1,2"),
    ],
)
def test_a_retry_after_that_makes_no_sense_is_none(value: str | None) -> None:
    assert backoff.parse_retry_after(value, NOW_MS) is None
