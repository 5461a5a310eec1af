"""Indicators of an evaluation: the period before, nulls, too few answers."""

from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest

from features.errors import DataRefused
from insight.evaluation.indicator_builder import (
    CaseCounts,
    last_point,
    previous_point,
)
from insight.evaluation.indicator_schema import PeriodValue
from insight.satisfaction.satisfaction_settings import SatisfactionSettings

PERIODS = [datetime(2025, month, 1, tzinfo=UTC) for month in (1, 4, 7)]
INPUTS = SimpleNamespace(periods=PERIODS, last=PERIODS[-1], settings=SatisfactionSettings())


def point(month, value, half=1.96):
    low, high = (None, None) if half is None else (value - half, value + half)
    day = date(2025, month, 1)
    return PeriodValue(period=day, value=value, low=low, high=high, asked=50, answered=40)


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
