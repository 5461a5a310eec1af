"""A model's card says what a reader of a score must know."""

from features.describe import Described
from models.card import card

FACTS = {
    "company": "acme", "trained_at": "2026-07-01T00:00:00+00:00", "data_end": "2026-07-01",
    "horizon_days": 90, "gap_days": 0, "test_start": "2026-04-01", "fingerprint": "abc",
    "code_revision": "1234567", "cutoffs": ["2025-01-01T00:00", "2025-02-01T00:00", "2026-04-01T00:00"],
    "label_counts": {"stays": 9000, "leaves": 1000}, "grade": "A", 
    "grade_reason": "better than the rule",
    "metrics": {"roc_auc": 0.7771, "roc_auc_low": 0.75, "rule_roc_auc": 0.5471, "linear_roc_auc": 0.7652,
                "ece": 0.02},
}  # fmt: skip


def test_a_card_tells_target_grade_metrics_and_features():
    described = [Described("orders_90d", "Orders in the last 90 days", "orders", "events", 0.0)]
    shown = card("Churn", "The customer cancels.", "Customers with a contract.", FACTS, described)
    lines = shown.splitlines()
    assert lines[:5] == [
        "# Churn",
        "",
        "The customer cancels. Customers with a contract.",
        "",
        "Grade A: better than the rule.",
    ]
    assert "- Training cutoffs: 2025-01-01 to 2026-04-01 (3)" in lines
    assert "- Labels: stays 9,000, leaves 1,000" in lines
    assert "| roc_auc | 0.7771 | 0.5471 | 0.7652 |" in lines
    assert "| orders_90d | Orders in the last 90 days | orders | events | 0 % |" in lines
    assert not any("_low" in line or "ece" in line for line in lines), "only what the rule has, too"
