"""Metrics for Prometheus: labels from fixed sets, summed over the workers of one service.

With `PROMETHEUS_MULTIPROC_DIR` set (BentoML sets it for its workers), counters and histograms are
files in that folder, so that any worker can report the sum. Values that are the same in every worker
(age of the features, models) come from the scorer of the worker that answers.
"""

import os
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import cast

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from serve.observability.score_bands import count_bands
from serve.scoring.reload_loop import ScorerLoader
from serve.scoring.scorer import ScoreBatch, Scorer

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The counters of one worker, and the exposition with the sums over all workers.

    Labels never come from a request: routes are templates, targets and rules are our own names.
    """

    def __init__(self, loader: ScorerLoader) -> None:
        self._shared = "PROMETHEUS_MULTIPROC_DIR" in os.environ
        self._registry = CollectorRegistry()
        self._state = _ScorerState(loader)
        self._requests = self._counter(
            "requests", "Answers by route template, method and status.", "route", "method", "status"
        )
        self._seconds = Histogram(
            "goodwill_request_seconds",
            "Time to answer by route template.",
            ("route",),
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._scored = self._counter("scored_customers", "Customers scored by target.", "target")
        self._scores = self._counter(
            "scores", "Customers scored by target and band of their main score.", "target", "band"
        )
        self._unknown = self._counter(
            "unknown_customers", "Requested customers that the snapshot does not hold."
        )
        self._unseen = self._counter(
            "unseen_categories",
            "Customers sent as records with a category that the target's model does not know.",
            "target",
        )
        self._rejected = self._counter(
            "rejected_rows", "Rows of request bodies that broke a rule, by route.", "route", "rule"
        )
        refusals = "Calls refused because of their API key or rate."
        self._refused = self._counter("refusals", refusals, "code")
        self._unaudited = self._counter(
            "audit_failures", "Scorings that could not be written to the audit log."
        )
        self._reloads = self._counter(
            "reloads",
            "Reloads of models and snapshots by a worker: loaded, failed, or kept (the old one).",
            "part",
            "result",
        )
        loader.on_reload = self.count_reload

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"goodwill_{name}_total", meaning, labels, registry=self._registry)

    def count_answer(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answer; `route` is a template, never a path."""
        known = method if method in METHODS else "OTHER"
        self._requests.labels(route, known, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def count_scores(self, batch: ScoreBatch) -> None:
        """Count the customers of a batch, by target and by band of their score."""
        for target in batch.versions:
            self._scored.labels(target).inc(len(batch.scores))
        for target, bands in count_bands(batch.scores).items():
            for band, customers in bands.items():
                self._scores.labels(target, band).inc(customers)
        for target, customers in batch.unknown_categories.items():
            self._unseen.labels(target).inc(customers)
        if batch.unknown:
            self._unknown.inc(len(batch.unknown))

    def count_rejected_rows(self, route: str, rows: Mapping[str, int]) -> None:
        """Count rows that broke a rule, by rule; `route` is a template."""
        for rule, count in rows.items():
            self._rejected.labels(route, rule).inc(count)

    def count_refusal(self, code: str) -> None:
        """Count a call refused because of its API key or rate, by error code."""
        self._refused.labels(code).inc()

    def count_audit_failure(self) -> None:
        """Count a scoring that could not be written to the audit log."""
        self._unaudited.inc()

    def count_reload(self, part: str, result: str) -> None:
        """Count the reload of a model or snapshot: `loaded`, `kept` (the old one) or `failed`."""
        self._reloads.labels(part, result).inc()

    def exposition(self) -> bytes:
        """Return the metrics in the text format of Prometheus."""
        registry = self._registry
        if self._shared:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        state = CollectorRegistry()
        state.register(self._state)
        return generate_latest(registry) + generate_latest(state)


class _ScorerState(Collector):
    """Gauges that are computed from the scorer when Prometheus reads them."""

    def __init__(self, loader: ScorerLoader) -> None:
        self._loader = loader

    def collect(self) -> Iterable[Metric]:
        scorer = self._loader.scorer
        ready = scorer is not None and scorer.ready()
        yield _gauge("ready", "1 when this worker can score.", {(): float(ready)})
        failures = float(self._loader.failures)
        meaning = "Failed attempts of this worker to load or refresh models."
        yield _gauge("load_failures", meaning, {(): failures})
        if scorer is None:
            return
        if ready:
            age = max(0.0, time.time() - scorer.as_of().timestamp())
            yield _gauge("feature_age_seconds", "Age of the snapshot's features.", {(): age})
        yield from _model_gauges(scorer)


def _model_gauges(scorer: Scorer) -> Iterable[Metric]:
    models = scorer.models()
    yield _gauge(
        "model_info",
        "The loaded models.",
        {(scorer.company, m.target, m.version, m.grade): 1.0 for m in models},
        ("company", "target", "version", "grade"),
    )
    yield _gauge(
        "model_trained_timestamp_seconds",
        "When the loaded model was trained, in seconds since 1970.",
        {(m.target,): datetime.fromisoformat(m.trained_at).timestamp() for m in models},
        ("target",),
    )
    parts = {m.target: 1.0 for m in models} | dict.fromkeys(scorer.missing(), 0.0)
    evaluated = scorer.evaluated()
    parts["evaluation"] = float(evaluated.evaluation is not None)
    parts["standing"] = float(evaluated.statuses is not None)
    meaning = "1 when the target can be scored or the part of the evaluation is loaded, else 0."
    yield _gauge("part_ready", meaning, {(p,): loaded for p, loaded in parts.items()}, ("part",))
    yield _gauge(
        "snapshot_unseen_customers",
        "Customers of the snapshot with a category that the target's model does not know.",
        {(target,): float(count) for target, count in scorer.unknown_categories().items()},
        ("target",),
    )


def _gauge(
    name: str,
    meaning: str,
    values: Mapping[tuple[str, ...], float],
    labels: tuple[str, ...] = (),
) -> Metric:
    family = GaugeMetricFamily(f"goodwill_{name}", meaning, labels=labels)
    for label_values, value in values.items():
        family.add_metric(label_values, value)
    return cast(Metric, family)
