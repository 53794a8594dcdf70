"""When the next worker may start, after one that ended by itself."""

import logging
import subprocess
from typing import cast

import pytest

from workers import given
from workers.places import FEW, MOST_BACK_OFF_S, QUICK_S, Child, Place

NOBODY = cast("given.Process", subprocess.Popen)


def ended(place: Place, *, after: float, failed: bool) -> float:
    """The pause before the next one, in seconds."""
    place.wait_after(Child("default", "w", NOBODY, 100.0), 100.0 + after, failed=failed)
    return max(0.0, place.not_before - (100.0 + after))


def test_failures_at_once_wait_longer_and_longer() -> None:
    place = Place(1)
    pauses = [ended(place, after=0.1, failed=True) for _ in range(8)]
    assert pauses[:3] == pytest.approx([0.2, 0.4, 0.8])
    assert pauses[-1] == pytest.approx(MOST_BACK_OFF_S)


def test_one_that_worked_for_a_while_is_followed_at_once() -> None:
    place = Place(1)
    ended(place, after=0.1, failed=True)
    place.not_before = 0.0
    assert ended(place, after=QUICK_S, failed=True) == 0.0
    assert ended(place, after=0.1, failed=True) == pytest.approx(0.2)


def test_a_few_drains_that_were_not_wanted_are_nothing_many_are(caplog: pytest.LogCaptureFixture) -> None:
    place = Place(1)
    with caplog.at_level(logging.WARNING):
        assert [ended(place, after=1.0, failed=False) for _ in range(FEW)] == pytest.approx([0.5] * FEW)
        assert not caplog.records
        assert ended(place, after=1.0, failed=False) == pytest.approx(1.0)
    assert "does a handler end its process?" in caplog.text


def test_workers_on_demand_end_when_they_are_done() -> None:
    place = Place(0)
    assert [ended(place, after=1.0, failed=False) for _ in range(9)] == pytest.approx([0.5] * 9)
