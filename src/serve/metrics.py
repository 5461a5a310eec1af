"""What Prometheus reads: bounded labels only, summed over the workers of one service.

With `PROMETHEUS_MULTIPROC_DIR` set (BentoML sets it for its workers) counters and histograms
are files in that folder, and any worker answers for all. What every worker knows alike (the age
of the features, the models) is read from the scorer of the worker that answers.
"""

import os
import time
from collections.abc import Iterable
from typing import cast

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from serve.answers import Batch
from serve.upkeep import Upkeep

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The counters of one worker, and the page that shows the sum of all workers."""

    def __init__(self, upkeep: Upkeep) -> None:
        self._shared = "PROMETHEUS_MULTIPROC_DIR" in os.environ
        self._registry = own = CollectorRegistry()
        self._state = _State(upkeep)
        self._requests = Counter(
            "goodwill_requests_total",
            "Answers by route template, method and status.",
            ("route", "method", "status"),
            registry=own,
        )
        self._seconds = Histogram(
            "goodwill_request_seconds",
            "Time to answer by route template.",
            ("route",),
            buckets=BUCKETS,
            registry=own,
        )
        self._scored = Counter(
            "goodwill_scored_customers_total",
            "Customers scored by target.",
            ("target",),
            registry=own,
        )
        self._unknown = Counter(
            "goodwill_unknown_customers_total",
            "Customers asked for whom the snapshot does not hold.",
            registry=own,
        )

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answer; `route` is a template, never a path."""
        known = method if method in METHODS else "OTHER"
        self._requests.labels(route, known, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def scored(self, batch: Batch) -> None:
        """Count the customers of one batch."""
        for target in batch.versions:
            self._scored.labels(target).inc(len(batch.scores))
        if batch.unknown:
            self._unknown.inc(len(batch.unknown))

    def page(self) -> bytes:
        """The exposition text."""
        registry = self._registry
        if self._shared:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        state = CollectorRegistry()
        state.register(self._state)
        return generate_latest(registry) + generate_latest(state)


class _State(Collector):
    """What the scorer says at the moment of reading."""

    def __init__(self, upkeep: Upkeep) -> None:
        self._upkeep = upkeep

    def collect(self) -> Iterable[Metric]:
        scorer = self._upkeep.scorer
        ready = scorer is not None and scorer.ready()
        yield _gauge("goodwill_ready", "1 when this worker can score.", float(ready))
        yield _gauge(
            "goodwill_upkeep_failures",
            "Failed attempts of this worker to load or refresh.",
            float(self._upkeep.failures),
        )
        if scorer is None:
            return
        if ready:
            age = max(0.0, time.time() - scorer.as_of().timestamp())
            yield _gauge("goodwill_feature_age_seconds", "Age of the snapshot's features.", age)
        info = _labelled("goodwill_model_info", "The models being served.")
        for model in scorer.models():
            info.add_metric([scorer.company, model.target, model.version, model.grade], 1.0)
        yield cast(Metric, info)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return cast(Metric, GaugeMetricFamily(name, meaning, value=value))


def _labelled(name: str, meaning: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, labels=("company", "target", "version", "grade"))
