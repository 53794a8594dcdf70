"""Times as senders write them."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.core.timestamps import parse_time


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2020-05-09T23:54:49Z", datetime(2020, 5, 9, 23, 54, 49, tzinfo=UTC)),
        ("2020-05-09T23:54:49.91Z", datetime(2020, 5, 9, 23, 54, 49, 910_000, UTC)),
        ("2020-05-09T23:54:49.40468Z", datetime(2020, 5, 9, 23, 54, 49, 404_680, UTC)),
        ("2020-05-09T23:54:49+00:00", datetime(2020, 5, 9, 23, 54, 49, tzinfo=UTC)),
        ("2020-05-09T23:54:49", datetime(2020, 5, 9, 23, 54, 49, tzinfo=UTC)),
        ("2020-05-09T23:54:49+0200", datetime(2020, 5, 9, 23, 54, 49, tzinfo=timezone(timedelta(hours=2)))),
        ("2020-05-09 23:54:49.209808489 +0000 UTC m=+0.1", datetime(2020, 5, 9, 23, 54, 49, 209_808, UTC)),
        ("yesterday", None),
        ("", None),
        (1589068489, None),
        (None, None),
    ],
)
def test_times_in_every_form_met(text: Any, moment: datetime | None) -> None:
    assert parse_time(text) == moment


@given(st.text() | st.text("0123456789-+:.TZ UTCm=", max_size=40) | st.integers() | st.floats())
def test_anything_is_an_aware_time_or_none(value: Any) -> None:
    found = parse_time(value)
    assert found is None or found.tzinfo is not None
