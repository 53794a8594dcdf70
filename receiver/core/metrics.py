"""Every metric, once: its name, kind, labels and one line of meaning. A test holds docs/metrics.md to it.

Names are a Literal, so that the type checker finds a misspelt one. Labels have few values by construction:
configured names and stable codes, never anything a sender can choose.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from typing import Literal, NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family

CounterName = Literal[
    "hookyard_requests_total",
    "hookyard_messages_accepted_total",
    "hookyard_messages_repeated_total",
    "hookyard_messages_invalid_total",
    "hookyard_elements_refused_total",
    "hookyard_attempts_total",
    "hookyard_deliveries_overtaken_total",
    "hookyard_segment_loops_total",
    "hookyard_deliveries_cleared_total",
    "hookyard_messages_purged_total",
]
GaugeName = Literal[
    "hookyard_requests_in_progress",
    "hookyard_backlog",
    "hookyard_breaker_open",
    "hookyard_config_info",
    "hookyard_config_refused",
    "hookyard_processes",
    "hookyard_processes_refusing",
]
HistogramName = Literal["hookyard_commit_seconds"]

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
    "hookyard_messages_invalid_total": Metric(
        ("source", "code"),
        "messages kept that Segment would reject, by the first code that speaks against them; repeats too",
    ),
    "hookyard_elements_refused_total": Metric(
        ("reason",), "elements of a batch that were not kept while the rest of it was, and tracking pixels"
    ),
    "hookyard_deliveries_cleared_total": Metric(
        ("route", "how"), "deliveries an operator moved to another route, or removed; of the store"
    ),
    "hookyard_messages_purged_total": Metric((), "messages deleted with their users; of the store"),
    "hookyard_attempts_total": Metric(
        ("route", "outcome"),
        "attempts of all workers, by what became of the delivery: delivered, retried, dropped, dead",
    ),
    "hookyard_deliveries_overtaken_total": Metric(
        ("route",), "deliveries that failed for so long that later ones of their ordering key went first"
    ),
    "hookyard_segment_loops_total": Metric(
        ("route",), "deliveries dropped because Hookyard would have sent its own message round by Segment"
    ),
}
GAUGES: Mapping[GaugeName, Metric] = {
    "hookyard_requests_in_progress": Metric((), "requests that are read or wait for their commit"),
    "hookyard_backlog": Metric(("route",), "deliveries that wait to be worked"),
    "hookyard_breaker_open": Metric(("route",), "1 while the route's circuit breaker holds deliveries back"),
    "hookyard_config_info": Metric(("version",), "1 for the version of routes.yaml this process serves by"),
    "hookyard_config_refused": Metric(
        (), "1 while routes.yaml as it stands is not valid, and this process goes on by what it had"
    ),
    "hookyard_processes": Metric(
        ("kind", "version"),
        "receivers and supervisors of workers that live, by the version of routes.yaml they go by",
    ),
    "hookyard_processes_refusing": Metric(
        ("kind",), "of those, the ones whose routes.yaml as it stands is not valid"
    ),
}
HISTOGRAMS: Mapping[HistogramName, Metric] = {
    "hookyard_commit_seconds": Metric((), "how long a request waited until its messages were on disk"),
}

Labels = tuple[str, ...]


class Metrics:
    """The metrics of one process, for one thread: plain numbers, put into Prometheus' form when asked for.

    The client library's own counters, with a lock each, took 8 µs of a request.
    """

    def __init__(self) -> None:
        self._counts: dict[CounterName, dict[Labels, float]] = {name: {} for name in COUNTERS}
        self._gauges: dict[GaugeName, dict[Labels, float]] = {}
        self._followed: dict[GaugeName, Callable[[], float]] = {}
        self._spread = {name: [0] * (len(BUCKETS_S) + 1) for name in HISTOGRAMS}
        self._sums = dict.fromkeys(HISTOGRAMS, 0.0)

    def count(self, name: CounterName, *labels: str, by: int = 1) -> None:
        """Add to a counter; `labels` in the order of its definition."""
        counts = self._counts[name]
        try:
            counts[labels] += by
        except KeyError:
            _check(COUNTERS[name], labels)
            counts[labels] = by

    def restate(self, name: CounterName, values: Mapping[Labels, int]) -> None:
        """Set a counter that is kept elsewhere, for exactly these labels."""
        for labels in values:
            _check(COUNTERS[name], labels)
        self._counts[name] = dict(values)

    def observe(self, name: HistogramName, seconds: float) -> None:
        """Add one measurement to a histogram."""
        self._spread[name][bisect_left(BUCKETS_S, seconds)] += 1
        self._sums[name] += seconds

    def follow(self, name: GaugeName, read: Callable[[], float]) -> None:
        """Read a gauge without labels at the moment it is asked for."""
        _check(GAUGES[name], ())
        self._followed[name] = read

    def replace(self, name: GaugeName, values: Mapping[Labels, float]) -> None:
        """Set a gauge for exactly these labels; what it showed for others (a route now gone) disappears."""
        for labels in values:
            _check(GAUGES[name], labels)
        self._gauges[name] = dict(values)

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> Iterator[Family]:
        """What Prometheus' client library asks its collectors for."""
        for name, metric in COUNTERS.items():
            counter = CounterMetricFamily(name, metric.meaning, labels=metric.labels)
            for labels, value in self._counts[name].items():
                counter.add_metric(labels, value)
            yield counter
        for gauge_name, metric in GAUGES.items():
            gauge = GaugeMetricFamily(gauge_name, metric.meaning, labels=metric.labels)
            read = self._followed.get(gauge_name)
            values = self._gauges.get(gauge_name, {}) if read is None else {(): read()}
            for labels, value in values.items():
                gauge.add_metric(labels, value)
            yield gauge
        for histogram_name, metric in HISTOGRAMS.items():
            edges = [*map(str, BUCKETS_S), "+Inf"]
            totals = accumulate(self._spread[histogram_name])
            histogram = HistogramMetricFamily(histogram_name, metric.meaning, labels=metric.labels)
            histogram.add_metric((), list(zip(edges, totals, strict=True)), self._sums[histogram_name])
            yield histogram


def _check(metric: Metric, labels: Labels) -> None:
    if len(labels) != len(metric.labels):
        raise ValueError(f"the labels are {metric.labels}, not {labels}")
