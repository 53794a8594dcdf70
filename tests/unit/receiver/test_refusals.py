"""Notes of what is refused: bounded, and a flood of one kind does not hide the others."""

from receiver.core.refusals import SAMPLE
from receiver.refusals import APART_S, MOST, Refusals
from tests.support.time import FakeClock


def test_the_last_of_a_kind_stands_for_the_others() -> None:
    noted = Refusals(FakeClock())
    noted.note("shop", "too_deep", size=1, sample=b"first", count=2)
    noted.note("shop", "too_deep", size=500, sample=b"x" * 499 + b"\xff")
    noted.note("shop", "null", size=4, sample=b"\xff")
    first, second = noted.take()
    assert (first.code, first.count, first.size, first.sample) == ("too_deep", 3, 500, "x" * SAMPLE)
    assert (second.code, second.count, second.sample) == ("null", 1, "\N{REPLACEMENT CHARACTER}")
    assert noted.take() == []


def test_a_kind_is_written_once_in_a_while() -> None:
    clock = FakeClock()
    noted = Refusals(clock)
    noted.note("shop", "null", size=1)
    assert len(noted.take()) == 1
    for _ in range(5):
        clock.forward(1)
        noted.note("shop", "null", size=1)
    noted.note("web", "null", size=1)
    assert [one.source for one in noted.take()] == ["web"]
    clock.forward(APART_S - 5)
    assert [(one.source, one.count) for one in noted.take()] == [("shop", 5)]
    noted.note("shop", "null", size=1)
    assert [one.count for one in noted.take(all_of_them=True)] == [1]


def test_what_is_held_is_bounded() -> None:
    noted = Refusals(FakeClock())
    for number in range(MOST + 50):
        noted.note(f"/v1/{number}", "invalid_write_key", size=1)
    noted.note("/v1/0", "invalid_write_key", size=1)
    found = noted.take()
    assert len(found) == MOST
    assert found[0].count == 2
