"""Every metric, once: its name, kind, labels and one line of meaning. A test holds docs/metrics.md to it.

Names are a Literal, so that the type checker finds a misspelt one. Labels have few values by construction:
configured names and stable codes, never anything a sender can choose.
"""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CounterName = Literal[
    "hookyard_requests_total",
    "hookyard_messages_accepted_total",
    "hookyard_messages_repeated_total",
    "hookyard_elements_refused_total",
]
GaugeName = Literal["hookyard_requests_in_progress", "hookyard_backlog"]
HistogramName = Literal["hookyard_commit_seconds"]
Name = CounterName | GaugeName | HistogramName

BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Metric(NamedTuple):
    """One line of docs/metrics.md."""

    labels: tuple[str, ...]
    meaning: str


COUNTERS: Mapping[CounterName, Metric] = {
    "hookyard_requests_total": Metric(
        ("endpoint", "code"), "requests answered: where they went, and `ok` or the code of the error"
    ),
    "hookyard_messages_accepted_total": Metric(("source",), "messages stored"),
    "hookyard_messages_repeated_total": Metric(
        ("source",), "messages that were stored before: answered 200, not stored again"
    ),
    "hookyard_elements_refused_total": Metric(
        ("reason",), "elements of a batch that were not kept while the rest of it was"
    ),
}
GAUGES: Mapping[GaugeName, Metric] = {
    "hookyard_requests_in_progress": Metric((), "requests to /hooks that are read or wait for their commit"),
    "hookyard_backlog": Metric(("route",), "deliveries that wait to be worked"),
}
HISTOGRAMS: Mapping[HistogramName, Metric] = {
    "hookyard_commit_seconds": Metric((), "how long a request waited until its messages were on disk"),
}


class Metrics:
    """The metrics of one process, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._counters = {
            name: Counter(name, metric.meaning, metric.labels, registry=self._registry)
            for name, metric in COUNTERS.items()
        }
        self._gauges = {
            name: Gauge(name, metric.meaning, metric.labels, registry=self._registry)
            for name, metric in GAUGES.items()
        }
        self._histograms = {
            name: Histogram(name, metric.meaning, metric.labels, registry=self._registry, buckets=BUCKETS_S)
            for name, metric in HISTOGRAMS.items()
        }
        self._children: dict[tuple[str, ...], Counter] = {}

    def count(self, name: CounterName, *labels: str, by: int = 1) -> None:
        """Add to a counter; `labels` in the order of its definition."""
        child = self._children.get((name, *labels))
        if child is None:
            counter = self._counters[name]
            child = self._children[(name, *labels)] = counter.labels(*labels) if labels else counter
        child.inc(by)

    def observe(self, name: HistogramName, seconds: float) -> None:
        """Add one measurement to a histogram."""
        self._histograms[name].observe(seconds)

    def follow(self, name: GaugeName, read: Callable[[], float]) -> None:
        """Read a gauge without labels at the moment it is asked for."""
        self._gauges[name].set_function(read)

    def replace(self, name: GaugeName, values: Mapping[tuple[str, ...], float]) -> None:
        """Set a gauge for exactly these labels; what it showed for others (a route now gone) disappears."""
        gauge = self._gauges[name]
        gauge.clear()
        for labels, value in values.items():
            gauge.labels(*labels).set(value)

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self._registry)
