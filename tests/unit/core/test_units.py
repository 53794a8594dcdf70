"""Durations and sizes as people write them."""

import pytest

from receiver.core import units


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(("500ms", 0.5), ("20s", 20.0), ("5m", 300.0), ("4h", 14400.0), ("3d", 259200.0), ("1w", 604800.0)),
        *(("1h30m", 5400.0), ("1.5h", 5400.0), (" 20s ", 20.0), ("0s", 0.0)),
    ],
)
def test_seconds_reads_durations(text: str, expected: float) -> None:
    assert units.seconds(text) == expected


@pytest.mark.parametrize("text", ["", " ", "20", "s", "20 s", "20sec", "-5s", "1h 30m", "1h30", "٣s", "1e3s"])
def test_seconds_says_what_it_expects(text: str) -> None:
    with pytest.raises(ValueError, match="write for example"):
        units.seconds(text)


@pytest.mark.parametrize(
    ("text", "expected"), [("500/s", 500.0), ("600/m", 10.0), ("1.5/s", 1.5), (" 36/h ", 0.01)]
)
def test_per_second_reads_rates(text: str, expected: float) -> None:
    assert units.per_second(text) == expected


@pytest.mark.parametrize("text", ["", "500", "/s", "0/s", "-1/s", "5/d", "5 /s", "5/s/s", "inf/s"])
def test_per_second_says_what_it_expects(text: str) -> None:
    with pytest.raises(ValueError, match="write for example"):
        units.per_second(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8MB", 8_000_000),
        ("512 kB", 512_000),
        ("2GiB", 2 * 1024**3),
        ("100", 100),
        ("1.5KB", 1500),
        ("7B", 7),
    ],
)
def test_size_bytes_reads_sizes(text: str, expected: int) -> None:
    assert units.size_bytes(text) == expected


@pytest.mark.parametrize("text", ["", "MB", "8 mb", "-1MB", "8MB extra", "1,5MB"])
def test_size_bytes_says_what_it_expects(text: str) -> None:
    with pytest.raises(ValueError, match="write for example"):
        units.size_bytes(text)


@pytest.mark.parametrize("seconds", [0.5, 1, 59, 60, 61, 3600, 5400, 86400, 90061, 259200])
def test_human_seconds_is_read_back(seconds: float) -> None:
    assert units.seconds(units.human_seconds(seconds)) == seconds


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (8_000_000, "8.0 MB"), (2.5e9, "2.5 GB")],
)
def test_human_bytes_is_short(value: float, expected: str) -> None:
    assert units.human_bytes(value) == expected
