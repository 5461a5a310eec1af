"""Indicators of an evaluation: changes beyond chance, nulls, too few answers."""

from datetime import UTC, date, datetime
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import ttest_ind

from features.errors import DataRefused
from insight.evaluation.evaluation_schema import PeriodValue
from insight.evaluation.indicator_builder import (
    CaseCounts,
    change_direction,
    finite_or_none,
    last_point,
    previous_point,
)
from insight.satisfaction.crosstabs import mean_interval
from insight.satisfaction.satisfaction_settings import SatisfactionSettings

PERIODS = [datetime(2025, month, 1, tzinfo=UTC) for month in (1, 4, 7)]
INPUTS = SimpleNamespace(periods=PERIODS, last=PERIODS[-1], settings=SatisfactionSettings())


def point(month, value, half=1.96):
    low, high = (None, None) if half is None else (value - half, value + half)
    day = date(2025, month, 1)
    return PeriodValue(period=day, value=value, low=low, high=high, asked=50, answered=40)


@pytest.mark.parametrize(
    ("now", "then", "what"),
    [
        (point(7, 50.0), point(4, 47.0), "up"),  # both errors 1: 1.96 * sqrt(2) = 2.77 < 3
        (point(7, 47.0), point(4, 50.0), "down"),
        (point(7, 50.0), point(4, 47.3), "no"),
        (point(7, 50.0), point(4, 47.0, None), "unknown"),
        (point(7, 50.0), None, "unknown"),
    ],
)
def test_change_is_compared_with_both_standard_errors(now, then, what):
    assert change_direction(now, then) == what


def test_changes_agree_with_welchs_test():
    rng = np.random.default_rng(0)
    agreed = 0
    for _ in range(200):
        samples = [rng.normal(50, 20, 400), rng.normal(rng.choice([50, 53]), 25, 300)]
        intervals = [
            mean_interval(s, np.ones(len(s)), np.arange(len(s)), resampled=False) for s in samples
        ]
        points = [
            PeriodValue(
                period=date(2025, m, 1), value=t.value, low=t.low, high=t.high, asked=9, answered=9
            )
            for m, t in zip((4, 7), intervals, strict=True)
        ]
        agreed += (change_direction(points[1], points[0]) != "no") == (
            ttest_ind(*samples, equal_var=False).pvalue < 0.05
        )
    assert agreed >= 198  # one or two are borderline: the t distribution is not quite normal


def test_previous_period_is_the_one_before_the_last():
    points = [point(1, 40.0), point(7, 50.0)]
    assert previous_point(points, points[1], INPUTS) is None
    assert previous_point([*points, point(4, 45.0)], points[1], INPUTS) == point(4, 45.0)
    assert previous_point(points, points[0], INPUTS) is None


def test_an_empty_last_period_is_named_beside_the_last_value():
    counts = CaseCounts("answers", {date(2025, 4, 1): 30, date(2025, 7, 1): 3}, date(2025, 8, 9))
    assert last_point([point(4, 45.0), point(7, 50.0)], INPUTS, counts) == (point(7, 50.0), None)
    value, empty = last_point([point(4, 45.0)], INPUTS, counts)
    assert value == point(4, 45.0)
    assert (empty.period, empty.answered, empty.last) == (date(2025, 7, 1), 3, date(2025, 8, 9))


def test_too_few_answers_in_every_period_are_refused():
    counts = CaseCounts("answers", {date(2025, 4, 1): 19})
    with pytest.raises(
        DataRefused, match="at most 19 answers in a quarter; the indicator needs 20"
    ):
        last_point([], INPUTS, counts)


def test_nan_and_infinity_become_none():
    assert [finite_or_none(v) for v in (1.5, float("nan"), float("inf"))] == [1.5, None, None]
