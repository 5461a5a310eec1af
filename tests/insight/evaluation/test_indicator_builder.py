"""Indicators of an evaluation: the period before, nulls, too few answers."""

from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest

from features.errors import DataRefused
from insight.evaluation.evaluation_schema import PeriodValue
from insight.evaluation.indicator_builder import (
    finite_or_none,
    last_point,
    previous_point,
)
from insight.satisfaction.satisfaction_settings import SatisfactionSettings

PERIODS = [datetime(2025, month, 1, tzinfo=UTC) for month in (1, 4, 7)]
INPUTS = SimpleNamespace(periods=PERIODS, last=PERIODS[-1], settings=SatisfactionSettings())


def point(month, value, half=1.96):
    low, high = (None, None) if half is None else (value - half, value + half)
    day = date(2025, month, 1)
    return PeriodValue(period=day, value=value, low=low, high=high, asked=50, answered=40)


def test_previous_period_is_the_one_before_the_last():
    points = [point(1, 40.0), point(7, 50.0)]
    assert previous_point(points, INPUTS) is None
    assert previous_point([*points, point(4, 45.0)], INPUTS) == point(4, 45.0)


def test_too_few_answers_are_refused_with_the_last_known_value():
    assert last_point([point(4, 45.0), point(7, 50.0)], INPUTS, "30 answers").value == 50.0
    with pytest.raises(
        DataRefused,
        match="3 answers in the quarter from 2025-07-01, a figure takes 20; the last figure is 45 of",
    ):
        last_point([point(4, 45.0)], INPUTS, "3 answers")


def test_nan_and_infinity_become_none():
    assert [finite_or_none(v) for v in (1.5, float("nan"), float("inf"))] == [1.5, None, None]
