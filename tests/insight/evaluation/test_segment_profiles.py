"""Segments add up to all customers, with their predicted values."""

import pandas as pd
import pytest

from insight.evaluation.customer_groups import CustomerGroups
from insight.evaluation.segment_profiles import profile_segments
from insight.satisfaction.cluster_rules import ClusterRule
from insight.segments.tier_thresholds import TierSettings

CUSTOMERS = pd.DataFrame(
    {
        "tier": ["A", "A", "B", None],
        "stars": pd.array([5, 5, 1, None], "Int64"),
        "stage": ["active", "at_risk", "lost", "lost"],
        "quadrant": [None] * 4,
        "group": ["A", "B", "B", None],
        "value_segment": ["top", "low", "low", "low"],
        "value_expected": [60.0, 20.0, 20.0, 0.0],
        "churn_probability": [0.1, 0.3, 0.5, 0.9],
    }
)
RULES = {
    name: ClusterRule(name, {"loyalty": (50.0, float("inf"))}, 0.9, 0.8) for name in ("A", "B")
}
GROUPS = CustomerGroups(CUSTOMERS["group"], 0.9, RULES)


def test_counts_and_means_of_literal_customers() -> None:
    segments = {(s.by, s.name): s for s in profile_segments(CUSTOMERS, TierSettings(), GROUPS)}
    assert [name for by, name in segments if by == "tier"] == ["A", "B", "C"]
    best = segments["tier", "A"]
    assert (best.customers, best.expected_value, best.satisfaction) == (2, 80.0, None)
    assert best.share == pytest.approx(2 / 3)  # of those with a tier
    assert best.share_of_value == pytest.approx(0.8)
    assert best.churn_probability == pytest.approx(0.2)
    assert best.policy is not None
    assert best.policy.service_level == "priority"
    assert (segments["tier", "C"].customers, segments["tier", "C"].churn_probability) == (0, None)
    assert [name for by, name in segments if by == "stars"] == ["5", "4", "3", "2", "1"]
    assert segments["stars", "5"].customers == 2
    assert [name for by, name in segments if by == "stage"] == ["active", "at_risk", "lost"]
    assert segments["group", "B"].rule == "loyalty > 50"
    assert "quadrant" not in {by for by, _ in segments}
    for by in ("tier", "stars", "stage", "value", "group"):
        assert sum(s.share for key, s in segments.items() if key[0] == by) == pytest.approx(1)


def test_without_predictions_segments_have_no_expected_value() -> None:
    segments = profile_segments(CUSTOMERS[["tier", "stage"]], TierSettings(), None)
    assert {s.by for s in segments} == {"tier", "stage"}
    assert {s.expected_value for s in segments} == {None}
