"""Value metrics, calculated by hand; reputation and credit are kept apart."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import ConfigRefused
from insight.value import value_metrics as module
from insight.value.value_metrics import (
    CREDIT,
    REPUTATION,
    VALUE_METRICS,
    add_growth,
    check_metrics,
    compute_value_metrics,
    with_sources,
)

CUTOFF = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def few_payments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("insight.value.payment_risk.MIN_PAYMENTS", 1)


def test_metrics_match_a_hand_calculation(history: Path) -> None:
    found = compute_value_metrics(history, CUTOFF)
    a = found.loc["A"]
    assert (a["orders"], a["active_months"]) == (3, 3)
    assert (a["tenure_days"], a["days_since_order"]) == pytest.approx((100, 5))
    assert (a["satisfaction_answer"], a["firm_reputation"]) == (100, 50)
    assert found.loc["B", "orders"] == 0
    assert pd.isna(found.loc["B", "satisfaction_answer"])  # answered after the cutoff
    assert found.loc["D", ["orders", "active_months"]].tolist() == [0, 0]


def test_growth_is_relative_to_the_last_period(history: Path) -> None:
    """In the last 90 days A ordered 700 and returned 100."""
    scores = pd.DataFrame(
        {"value_expected": [900.0], "value_low": [100.0], "value_high": [2000.0]}, ["A"]
    )
    found = compute_value_metrics(history, CUTOFF, scores).loc["A"]
    assert found[["growth", "growth_low", "growth_high"]].tolist() == [300, -500, 1400]


def test_ratings_are_joined(history: Path) -> None:
    ratings = pd.DataFrame({"customer_credit": [4.0]}, ["B"])
    found = compute_value_metrics(history, CUTOFF, ratings=ratings)
    assert found["customer_credit"].dropna().to_dict() == {"B": 4.0}


def test_a_firms_reputation_is_not_a_customers_credit() -> None:
    assert set(VALUE_METRICS) >= CREDIT | REPUTATION
    assert CREDIT.isdisjoint(REPUTATION)
    check_metrics("credit", sorted(CREDIT))
    check_metrics("image", ["firm_reputation", "satisfaction_answer"])
    with pytest.raises(
        ConfigRefused, match=r"mixes firm_reputation.*customer_credit.*; they are two"
    ):
        check_metrics("credit", ["firm_reputation", "customer_credit"])


def test_an_unknown_metric_is_refused_with_a_suggestion() -> None:
    with pytest.raises(ConfigRefused, match=r"unknown measure x\.revenu.*revenue"):
        check_metrics("x", ["revenu"])


def test_bounds_refer_to_existing_columns(history: Path) -> None:
    assert {m.low for m in module.VALUE_METRICS.values() if m.low} == {
        "overdue_low", "satisfaction_low", "value_low", "growth_low",
    }  # fmt: skip
    assert {"overdue_low", "overdue_high"} <= set(compute_value_metrics(history, CUTOFF))


def test_a_predicted_metric_is_made_of_the_answers_it_is_predicted_from() -> None:
    assert with_sources(["revenue", "satisfaction_score"]) == [
        "revenue", "satisfaction_score", "satisfaction_answer", "firm_reputation",
    ]  # fmt: skip
    assert with_sources(["orders"]) == ["orders"]
    sources = {source for metric in VALUE_METRICS.values() for source in metric.made_of}
    assert sources <= set(VALUE_METRICS)


def test_a_small_difference_is_no_growth() -> None:
    """The median buyer brought 1,000: a tenth of it, or of the own revenue, is growth."""
    table = pd.DataFrame({
        "last_period_revenue": [np.nan, np.nan, 1000.0, 1000.0, 4000.0, 4000.0, 500.0],
        "value_expected": [40.0, 100.0, 1050.0, 800.0, 4300.0, 4500.0, np.nan],
    })  # fmt: skip
    table = table.assign(
        value_low=table["value_expected"] - 50, value_high=table["value_expected"] + 50
    )
    found = add_growth(table)["growth"].tolist()
    assert found == pytest.approx([0.0, 100.0, 0.0, -200.0, 0.0, 500.0, np.nan], nan_ok=True)


def test_without_any_buyer_whatever_is_expected_is_growth() -> None:
    table = pd.DataFrame({
        "last_period_revenue": [np.nan], "value_expected": [5.0], "value_low": [0.0],
        "value_high": [9.0],
    })  # fmt: skip
    assert add_growth(table)["growth"].tolist() == [5.0]
