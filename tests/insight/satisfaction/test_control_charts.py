"""Control charts: at most one false alarm per year and segment, and real changes are detected."""

import numpy as np
import pandas as pd
import pytest

from features.errors import DataRefused
from insight.satisfaction.control_charts import compute_control_chart, find_alerts

MONTHS = 48


def figures(segments=1, seed=0, between=0.0, answers=60):
    """Monthly means with sd 20 of an answer; `between` is the sd between months beyond sampling."""
    rng = np.random.default_rng(seed)
    count = rng.poisson(answers, (segments, MONTHS)).clip(10)
    error = 20 / np.sqrt(count)
    value = 75 + between * rng.normal(size=error.shape) + error * rng.normal(size=error.shape)
    return pd.DataFrame({
        "segment": np.repeat([f"s{i:03d}" for i in range(segments)], MONTHS),
        "period": np.tile(np.arange(MONTHS), segments), "value": value.ravel(),
        "low": (value - 1.96 * error).ravel(), "high": (value + 1.96 * error).ravel(),
    })  # fmt: skip


@pytest.mark.parametrize("between", [0.0, 1.5, 4.0])
def test_at_most_one_false_alarm_a_year_and_segment(between):
    found, too_short = find_alerts(figures(200, between=between))
    years = 200 * (MONTHS - 8) / 12
    assert too_short == []
    assert len(found) / years <= 1.0
    per_segment = pd.Series([alert.segment for alert in found]).value_counts()
    per_segment = per_segment.reindex([f"s{i:03d}" for i in range(200)], fill_value=0)
    assert (per_segment / (40 / 12)).quantile(0.95) <= 1.0


def test_a_jump_is_detected_in_its_month():
    table = figures(answers=200)
    table.loc[30:, ["value", "low", "high"]] -= 10
    found, _ = find_alerts(table)
    assert found[0].period == 30
    assert found[0].kind == "jump"
    assert found[0].segment == "s000"
    assert found[0].value < found[0].expected


def test_a_slow_decline_is_detected_as_drift_before_jump():
    seen = []
    for seed in range(20):
        table = figures(seed=seed, answers=100)
        table.loc[24:, ["value", "low", "high"]] -= np.minimum(np.arange(24) * 0.5, 4)[:, None]
        found, _ = find_alerts(table)
        seen += [alert.kind for alert in found if alert.period >= 24 and alert.errors_off < 0][:1]
    assert len(seen) >= 15
    assert seen.count("drift") > seen.count("jump")


def test_limits_match_a_hand_calculation():
    """Eight equal months of 50 with error 1: a ninth of error 1 may be 3 * sqrt(1 + 1/8) off."""
    chart = compute_control_chart(np.r_[np.full(8, 50.0), 54.0], np.ones(9)).iloc[-1]
    assert (chart["expected"], chart["high"]) == (50.0, pytest.approx(50 + 3 * np.sqrt(1.125)))
    assert chart["jump"] == pytest.approx(4 / np.sqrt(1.125))


def test_a_month_without_a_value_is_skipped():
    values = np.r_[np.full(8, 50.0), np.nan, 50.0]
    chart = compute_control_chart(values, np.ones(10))
    assert chart["jump"].isna().tolist() == [True] * 9 + [False]


def test_a_segment_with_a_short_history_is_listed():
    table = figures().head(8)
    assert find_alerts(table) == ([], ["s000"])


def test_errors_must_be_positive():
    with pytest.raises(DataRefused, match="1 standard errors are not positive"):
        compute_control_chart(np.array([1.0, 2.0]), np.array([1.0, 0.0]))
