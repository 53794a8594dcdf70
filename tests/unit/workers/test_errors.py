import math
from datetime import timedelta

import pytest

from workers.errors import (
    EventNotSupported,
    InvalidEventPayload,
    MessageUnreadable,
    PermanentError,
    RetryError,
    ValidationError,
    outcome_of,
    raise_for,
)
from workers.outcome import Dead, Done, Drop, Retry


@pytest.mark.parametrize(
    ("after", "seconds"), [(None, None), (0, 0), (1.5, 1.5), (timedelta(minutes=2), 120)]
)
def test_retry_after(after: float | timedelta | None, seconds: float | None) -> None:
    assert outcome_of(RetryError("later", after=after)) == Retry("handler_retry", "later", seconds)


@pytest.mark.parametrize("after", [-1, math.nan, math.inf, timedelta(seconds=-1)])
def test_a_retry_after_that_makes_no_sense_is_told(after: float | timedelta) -> None:
    with pytest.raises(ValueError, match="expected seconds"):
        RetryError(after=after)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (EventNotSupported, "event_not_supported"),
        (ValidationError, "validation_error"),
        (InvalidEventPayload, "invalid_event_payload"),
        (MessageUnreadable, "unreadable_message"),
    ],
)
def test_permanent_errors_have_stable_codes(kind: type[PermanentError], code: str) -> None:
    assert outcome_of(kind("why")) == Dead(code, "why")


def test_an_outcome_survives_being_raised() -> None:
    busy, refused = Retry("http_503", "busy", 7.0), Dead("http_400", "no")
    with pytest.raises(RetryError) as retry:
        raise_for(busy)
    with pytest.raises(PermanentError) as permanent:
        raise_for(refused)
    assert (outcome_of(retry.value), outcome_of(permanent.value)) == (busy, refused)


def test_what_worked_raises_nothing() -> None:
    raise_for(Done())
    raise_for(Drop())
