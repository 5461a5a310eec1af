"""Compare our metrics with figures published for the same data."""

from dataclasses import dataclass

import numpy as np

from features.config.company import Company, PublishedBenchmark
from features.formatting import ENGLISH, MISSING
from insight.formatting.display_names import MEASURES, TITLES, format_metric
from insight.model_report.holdout_section import MetricsByContestant
from models.evaluation.bootstrap import Interval
from models.evaluation.metrics import METRICS

#: Other names of a metric.
ALSO_CALLED = {"top_tenth_capture": "capture_10"}


@dataclass(frozen=True)
class BenchmarkComparison:
    """A published figure, ours, the difference, and which is better."""

    target: str
    measure: str
    what: str
    theirs: str
    ours: str
    difference: str
    verdict: str
    outcome: str  # better, worse, even or unknown


def compare_benchmarks(
    company: Company, metrics: dict[str, MetricsByContestant]
) -> list[BenchmarkComparison]:
    """Compare every published figure of the company's file; `metrics` is by target."""
    return [_compare(r, metrics.get(r.target, {}).get("model", {})) for r in company.references]


def _compare(reference: PublishedBenchmark, ours: dict[str, Interval]) -> BenchmarkComparison:
    name = ALSO_CALLED.get(reference.metric, reference.metric)
    metric = MEASURES.get(name)
    form = metric.form if metric else "ratio"
    interval = ours.get(name)
    difference, verdict, outcome = "", "not measured here", "unknown"
    if interval is not None and np.isfinite(interval.value):
        gap = interval.value - reference.value
        places = {"ratio": 3, "percent": 1, "points": 1, "times": 1, "money": 0}[form]
        difference = ENGLISH.signed(100 * gap if form == "percent" else gap, places)
        difference += " points" if form == "percent" else ""
        if format_metric(interval.value, form) == format_metric(reference.value, form):
            difference, verdict, outcome = "0", "equal", "even"
        else:
            better = (gap > 0) == METRICS[name].higher_is_better
            outcome = "better" if better else "worse"
            unclear = interval.low <= reference.value <= interval.high
            verdict = f"{outcome}, not significant" if unclear else outcome
    return BenchmarkComparison(
        TITLES[reference.target],
        metric.label if metric else reference.metric,
        reference.what,
        format_metric(reference.value, form),
        format_metric(interval.value, form) if interval is not None else MISSING,
        difference,
        verdict,
        outcome,
    )
