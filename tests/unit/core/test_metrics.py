"""The metrics and their page in the docs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import pytest

from receiver.core.metrics import (
    COUNTERS,
    GAUGES,
    HISTOGRAMS,
    CounterName,
    GaugeName,
    HistogramName,
    Metric,
    Metrics,
)

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"


def test_every_name_of_the_types_is_defined() -> None:
    assert set(get_args(CounterName)) == set(COUNTERS)
    assert set(get_args(GaugeName)) == set(GAUGES)
    assert set(get_args(HistogramName)) == set(HISTOGRAMS)


def test_the_docs_list_exactly_these_metrics() -> None:
    kinds: dict[str, Mapping[Any, Metric]] = {"counter": COUNTERS, "gauge": GAUGES, "histogram": HISTOGRAMS}
    expected = {
        f"| `{name}` | {kind} | {', '.join(metric.labels)} | {metric.meaning} |"
        for kind, metrics in kinds.items()
        for name, metric in metrics.items()
    }
    assert {line for line in PAGE.read_text().splitlines() if line.startswith("| `")} == expected


def test_counting_and_measuring() -> None:
    metrics = Metrics()
    metrics.count("hookyard_messages_accepted_total", "shop")
    metrics.count("hookyard_messages_accepted_total", "shop", by=99)
    metrics.observe("hookyard_commit_seconds", 0.003)
    metrics.follow("hookyard_requests_in_progress", lambda: 7)
    text = metrics.text().decode()
    assert 'hookyard_messages_accepted_total{source="shop"} 100.0' in text
    assert 'hookyard_commit_seconds_bucket{le="0.005"} 1.0' in text
    assert 'hookyard_commit_seconds_bucket{le="0.002"} 0.0' in text
    assert 'hookyard_commit_seconds_bucket{le="+Inf"} 1.0' in text
    assert "hookyard_commit_seconds_sum 0.003" in text
    assert "hookyard_requests_in_progress 7.0" in text


def test_a_gauge_shows_exactly_what_it_was_last_given() -> None:
    metrics = Metrics()
    metrics.replace("hookyard_backlog", {("orders",): 3, ("gone",): 5})
    metrics.replace("hookyard_backlog", {("orders",): 4})
    text = metrics.text().decode()
    assert 'hookyard_backlog{route="orders"} 4.0' in text
    assert "gone" not in text


def test_a_counter_that_is_kept_elsewhere_shows_what_it_was_last_given() -> None:
    metrics = Metrics()
    metrics.restate("hookyard_segment_loops_total", {("orders",): 3, ("gone",): 5})
    metrics.restate("hookyard_segment_loops_total", {("orders",): 4})
    text = metrics.text().decode()
    assert 'hookyard_segment_loops_total{route="orders"} 4.0' in text
    assert "gone" not in text


def test_a_label_too_few_is_found_at_once() -> None:
    metrics = Metrics()
    with pytest.raises(ValueError, match="label"):
        metrics.count("hookyard_requests_total", "hooks")
    with pytest.raises(ValueError, match="label"):
        metrics.follow("hookyard_backlog", lambda: 1)
    with pytest.raises(ValueError, match="label"):
        metrics.replace("hookyard_backlog", {(): 1})
