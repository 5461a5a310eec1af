"""Time series of the headline indicators by group, and their forecasts."""

from collections import Counter
from datetime import datetime

import pandas as pd

from features.calendar_periods import add_months
from features.errors import DataRefused
from insight.evaluation.indicator_builder import first_day, known_cuts, period_value
from insight.evaluation.indicator_schema import (
    GroupValue,
    Indicator,
    IndicatorForecast,
    PeriodValue,
)
from insight.satisfaction.behavioural_rates import PERIOD_MONTHS
from insight.satisfaction.crosstabs import cross_tabulate
from insight.satisfaction.forecast import forecast_series
from insight.satisfaction.indicators import SatisfactionIndicator
from insight.satisfaction.satisfaction_inputs import SatisfactionInputs
from insight.satisfaction.satisfaction_metrics import SATISFACTION_METRICS

#: Indicators that are watched and forecast; by group, only satisfaction is forecast.
HEADLINE = ("csat_index", "nps", "effort", "retention", "complaint")
SATISFACTION = "csat_index"
#: Number of periods to forecast.
AHEAD = {"month": 3, "quarter": 2, "year": 1}
EVERYTHING = "all"
#: Attributes with more groups have no values over time: their lines could not be told apart.
MOST_LINES = 8

#: Time series of an indicator by (column, group).
IndicatorSeries = dict[tuple[str, str], pd.DataFrame]


def collect_series(tables: SatisfactionIndicator, inputs: SatisfactionInputs) -> IndicatorSeries:
    """Return the time series of a headline indicator: of the company and of every group shown today.

    Empty for other indicators. Groups have normal intervals: a bootstrap of thousands takes too long.
    """
    if tables.name not in HEADLINE:
        return {}
    series = {(EVERYTHING, EVERYTHING): tables.over_time.table}
    for by, cut in known_cuts(tables).items():
        by_period = cross_tabulate(
            tables.metric, tables.rows, inputs.settings, (by, "period"), resampled=False
        ).table
        shown = by_period[by_period[by].isin(cut.table[by])]
        series |= {(by, str(group)): one for group, one in shown.groupby(by, sort=True)}
    return series


def add_forecasts(
    indicator: Indicator, series: IndicatorSeries, inputs: SatisfactionInputs
) -> Indicator:
    """Add forecasts, or the reason for none, and the values of groups over time.

    Of the groups, only satisfaction is forecast.
    """
    if not series:
        return indicator
    forecast, why = _forecast(indicator.name, series[EVERYTHING, EVERYTHING], inputs)
    groups = _with_history(indicator.cells, series)
    if indicator.name == SATISFACTION:
        groups = [_with_forecast(indicator.name, group, series, inputs) for group in groups]
    return indicator.model_copy(
        update={"forecast": forecast, "no_forecast": why, "cells": groups}
    )  # fmt: skip


def _with_history(groups: list[GroupValue], series: IndicatorSeries) -> list[GroupValue]:
    """The groups of attributes with few groups, with their values over time."""
    sizes = Counter(group.by for group in groups)
    return [
        group.model_copy(update={"over_time": series_points(series[group.by, group.group])})
        if sizes[group.by] <= MOST_LINES and (group.by, group.group) in series
        else group
        for group in groups
    ]


def series_points(series: pd.DataFrame) -> list[PeriodValue]:
    """The values of a series, in the order of its periods."""
    return [period_value(row) for row in series.sort_values("period").to_dict("records")]


def _with_forecast(
    name: str, group: GroupValue, series: IndicatorSeries, inputs: SatisfactionInputs
) -> GroupValue:
    forecast, why = _forecast(name, series[group.by, group.group], inputs)
    return group.model_copy(update={"forecast": forecast, "no_forecast": why})


def _forecast(
    indicator: str, series: pd.DataFrame, inputs: SatisfactionInputs
) -> tuple[IndicatorForecast | None, str]:
    """The forecast of a series, or the reason for none."""
    values = series.set_index("period")["value"].reindex(pd.DatetimeIndex(inputs.periods))
    period = inputs.settings.period
    season, ahead = 12 // PERIOD_MONTHS[period], AHEAD[period]
    try:
        found = forecast_series(values.loc[values.first_valid_index() :].to_numpy(), season, ahead)
    except DataRefused as err:
        return None, str(err)
    low, high = SATISFACTION_METRICS[indicator].bounds or (0.0, 1.0)
    table = found.table[["value", "low", "high"]].clip(low, high)
    starts = [add_months(inputs.last, PERIOD_MONTHS[period] * step) for step in found.table["step"]]
    points = [
        _future_value(start, *numbers)
        for start, numbers in zip(starts, table.to_numpy().tolist(), strict=True)
    ]
    skill = float(found.backtest["skill"][found.method])
    return IndicatorForecast(
        method=found.method, skill=skill, trials=found.trials, points=points
    ), ""


def _future_value(start: datetime, value: float, low: float, high: float) -> PeriodValue:
    return PeriodValue(
        period=first_day(start), value=value, low=low, high=high, asked=0, answered=0
    )  # fmt: skip
