"""Time series of the headline indicators by group, and their forecasts."""

from datetime import datetime

import pandas as pd

from features.calendar_periods import add_months
from features.errors import DataRefused
from insight.evaluation.indicator_builder import first_day, known_cuts
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
    """Add the forecast of the indicator, and for satisfaction of each group, or the reason for none."""
    if not series:
        return indicator
    forecast, why = _forecast(indicator.name, series[EVERYTHING, EVERYTHING], inputs)
    groups = indicator.cells
    if indicator.name == SATISFACTION:
        groups = [_with_forecast(indicator.name, group, series, inputs) for group in groups]
    return indicator.model_copy(
        update={"forecast": forecast, "no_forecast": why, "cells": groups}
    )  # fmt: skip


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
