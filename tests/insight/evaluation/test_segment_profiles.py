"""Segments add up to everybody, and say what is expected of them."""

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
RULES = {name: ClusterRule(name, {"loyalty": (50.0, float("inf"))}, 0.9, 0.8) for name in ("A", "B")}
GROUPS = CustomerGroups(CUSTOMERS["group"], 0.9, RULES)


def test_by_hand() -> None:
    told = {(s.by, s.name): s for s in profile_segments(CUSTOMERS, TierSettings(), GROUPS)}
    assert [name for by, name in told if by == "tier"] == ["A", "B", "C"]
    best = told["tier", "A"]
    assert (best.customers, best.expected_value, best.satisfaction) == (2, 80.0, None)
    assert best.share == pytest.approx(2 / 3)  # of those with a tier
    assert best.share_of_value == pytest.approx(0.8)
    assert best.churn_probability == pytest.approx(0.2)
    assert best.policy is not None
    assert best.policy.service_level == "priority"
    assert (told["tier", "C"].customers, told["tier", "C"].churn_probability) == (0, None)
    assert [name for by, name in told if by == "stars"] == ["5", "4", "3", "2", "1"]
    assert told["stars", "5"].customers == 2
    assert told["group", "B"].rule == "loyalty > 50"
    assert "quadrant" not in {by for by, _ in told}
    for by in ("tier", "stars", "stage", "value", "group"):
        assert sum(s.share for key, s in told.items() if key[0] == by) == pytest.approx(1)


def test_without_predictions_there_is_no_value_to_tell() -> None:
    told = profile_segments(CUSTOMERS[["tier", "stage"]], TierSettings(), None)
    assert {s.by for s in told} == {"tier", "stage"}
    assert {s.expected_value for s in told} == {None}
