"""Comparison of our metrics with published figures."""

import pytest

from features.config.company import Company
from insight.model_report.published_benchmarks import compare_benchmarks
from models.evaluation.bootstrap import Interval

MEASURED = {
    "churn": {"model": {"roc_auc": Interval(0.80, 0.78, 0.82)}},
    "value": {
        "model": {
            "mae": Interval(500.0, 480.0, 520.0),
            "capture_10": Interval(0.63, 0.6, 0.66),
        }
    },
}


@pytest.mark.parametrize(
    ("target", "metric", "value", "difference", "verdict"),
    [
        ("churn", "roc_auc", 0.85, "−0.050", "worse"),
        ("churn", "roc_auc", 0.81, "−0.010", "worse, not significant"),
        ("churn", "roc_auc", 0.70, "+0.100", "better"),
        ("churn", "roc_auc", 0.8001, "0", "equal"),
        ("value", "mae", 550.0, "−50", "better"),
        ("value", "mae", 450.0, "+50", "worse"),
        ("value", "top_tenth_capture", 0.5, "+13.0 points", "better"),
        ("value", "gini", 0.5, "", "not measured here"),
        ("nps", "accuracy", 0.5, "", "not measured here"),
    ],
)
def test_difference_and_verdict(target, metric, value, difference, verdict):
    raw = {
        "company": {"name": "tiny"},
        "tables": {"events": {"files": "x", "columns": {}}},
        "references": [{"target": target, "metric": metric, "value": value, "what": "a rival"}],
    }
    (found,) = compare_benchmarks(Company.model_validate(raw), MEASURED)
    assert (found.difference, found.verdict) == (difference, verdict)
    assert found.what == "a rival"
