"""Quadrants: hand-calculated, intervals, and refused settings."""

import numpy as np
import pandas as pd
import pytest

from features.errors import ConfigRefused, DataRefused
from insight.segments.quadrant import QuadrantSettings, assign_quadrants

TABLE = pd.DataFrame(
    {
        "growth": [500.0, 500.0, -10.0, -10.0, np.nan, 5.0],
        "growth_low": [100.0, -50.0, -90.0, -90.0, np.nan, 1.0],
        "growth_high": [900.0, 900.0, -1.0, 90.0, np.nan, 9.0],
        "churn_probability": [0.1, 0.5, 0.1, np.nan, 0.9, np.nan],
        "overdue_probability": [0.2, 0.2, 0.2, 0.9, 0.9, np.nan],
    }
)


def test_the_four_quadrants() -> None:
    found = assign_quadrants(TABLE, QuadrantSettings())
    assert found["quadrant"].tolist()[:4] == ["develop", "secure", "keep", "limit"]
    assert found["quadrant"].isna().tolist()[4:] == [True, True]  # no potential, no risk measured
    assert found["settled"].tolist() == [True, False, True, False, False, False]
    assert found["risk"].tolist()[1:4] == ["churn_probability", np.nan, "overdue_probability"]


def test_without_an_interval_nothing_is_settled() -> None:
    found = assign_quadrants(TABLE.drop(columns="growth_low"), QuadrantSettings())
    assert not found["settled"].any()


def test_the_risk_furthest_above_its_limit_is_reported() -> None:
    both = TABLE.assign(churn_probability=0.3, overdue_probability=1.0)
    settings = QuadrantSettings(risks={"churn_probability": 0.25, "overdue_probability": 0.5})
    assert set(assign_quadrants(both, settings)["risk"]) == {"overdue_probability"}


def test_unknown_and_empty_metrics_are_refused() -> None:
    with pytest.raises(ConfigRefused, match=r"unknown measure insight\.quadrant\.grow.*growth"):
        assign_quadrants(TABLE, QuadrantSettings(potential="grow"))
    with pytest.raises(DataRefused, match="no customer has growth"):
        assign_quadrants(TABLE.assign(growth=np.nan), QuadrantSettings())


def test_a_customer_of_top_value_is_never_limited() -> None:
    """Less is expected of all four than before; two are among those who bring most."""
    table = pd.DataFrame({
        "growth": -100.0, "churn_probability": [0.9, 0.9, 0.9, 0.1], "overdue_probability": 0.0,
        "value_segment": ["top", "high", "low", "top"],
    })  # fmt: skip
    found = assign_quadrants(table, QuadrantSettings())
    assert found["quadrant"].tolist() == ["secure", "secure", "limit", "develop"]
    assert found["settled"].tolist() == [True, True, False, True]
    others = assign_quadrants(table, QuadrantSettings(valuable=[]))
    assert others["quadrant"].tolist() == ["limit", "limit", "limit", "keep"]
