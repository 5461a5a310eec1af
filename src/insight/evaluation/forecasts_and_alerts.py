"""Where indicators are going, and which groups have moved beyond chance."""

from datetime import datetime

import pandas as pd

from features.errors import DataRefused
from insight.evaluation.evaluation_schema import IndicatorAlert, GroupValue, IndicatorForecast, Indicator, PeriodValue
from insight.evaluation.indicator_builder import known_cuts, first_day
from insight.satisfaction.behavioural_rates import PERIOD_MONTHS, add_months
from insight.satisfaction.control_charts import find_alerts
from insight.satisfaction.crosstabs import cross_tabulate
from insight.satisfaction.forecast import forecast_series
from insight.satisfaction.indicators import SatisfactionIndicator as Measured
from insight.satisfaction.satisfaction_inputs import Sources

#: What is watched and forecast; of groups only satisfaction is forecast.
HEADLINE = ("csat_index", "nps", "effort", "retention", "complaint")
SATISFACTION = "csat_index"
#: Periods a forecast goes ahead.
AHEAD = {"month": 3, "quarter": 2, "year": 1}
#: Between which values each indicator lies.
BOUNDS = {"csat_index": (0.0, 10.0), "nps": (-100.0, 100.0), "effort": (0.0, 100.0)}
EVERYTHING = "all"

#: An indicator's periods by column and group.
IndicatorSeries = dict[tuple[str, str], pd.DataFrame]


def collect_series(figure: Measured, found: Sources) -> IndicatorSeries:
    """A headline by period, by column and group: of the whole and of every group of today.

    Groups come with normal intervals: there are thousands of them. Other figures have no lines.
    """
    if figure.name not in HEADLINE:
        return {}
    lines = {(EVERYTHING, EVERYTHING): figure.over_time.table}
    for by, cut in known_cuts(figure).items():
        cuts = (by, "period")
        made = cross_tabulate(figure.measure, figure.rows, found.choices, cuts, resampled=False).table
        shown = made[made[by].isin(cut.table[by])]
        lines |= {(by, str(group)): line for group, line in shown.groupby(by, sort=True)}
    return lines


def find_alerts(indicator: str, lines: IndicatorSeries, found: Sources) -> tuple[list[IndicatorAlert], int]:
    """The alerts of the last period among an indicator's lines; how many were too young to judge.

    Each line is judged by its own past (`insight.satisfaction.control_charts`).
    """
    if not lines:
        return [], 0
    names = list(lines)
    numbered = enumerate(lines.values())
    heard, young = find_alerts(
        pd.concat([_judged(line).assign(segment=f"{place:06d}") for place, line in numbered])
    )
    told = [
        IndicatorAlert(
            indicator=indicator, by=names[int(a.segment)][0], group=names[int(a.segment)][1],
            period=first_day(found.last), kind="jump" if a.kind == "jump" else "drift",
            value=a.value, expected=a.expected, errors_off=a.errors_off,
        )
        for a in heard if a.period == found.last
    ]  # fmt: skip
    return told, len(young)


def add_forecasts(told: Indicator, lines: IndicatorSeries, found: Sources) -> Indicator:
    """The indicator with its forecast, and that of each group's satisfaction, or why there is none."""
    if not lines:
        return told
    ahead, why = _forecast(told.name, lines[EVERYTHING, EVERYTHING], found)
    groups = told.cells
    if told.name == SATISFACTION:
        groups = [_with_forecast(told.name, cell, lines, found) for cell in groups]
    return told.model_copy(update={"forecast": ahead, "no_forecast": why, "cells": groups})


def _with_forecast(name: str, cell: GroupValue, lines: IndicatorSeries, found: Sources) -> GroupValue:
    ahead, why = _forecast(name, lines[cell.by, cell.group], found)
    return cell.model_copy(update={"forecast": ahead, "no_forecast": why})


def _judged(line: pd.DataFrame) -> pd.DataFrame:
    """The periods of a line that can be judged: where all said the same, nothing says how sure it is."""
    width = line["high"] - line["low"]
    usable = (width > 0) & (width < float("inf"))
    return line.loc[usable, ["period", "value", "low", "high"]]


def _forecast(indicator: str, line: pd.DataFrame, found: Sources) -> tuple[IndicatorForecast | None, str]:
    """The next periods of a line, or why they cannot be told."""
    values = line.set_index("period")["value"].reindex(pd.DatetimeIndex(found.periods))
    period = found.choices.period
    season, ahead = 12 // PERIOD_MONTHS[period], AHEAD[period]
    try:
        made = forecast_series(values.loc[values.first_valid_index() :].to_numpy(), season, ahead)
    except DataRefused as err:
        return None, str(err)
    low, high = BOUNDS.get(indicator, (0.0, 1.0))
    table = made.table[["value", "low", "high"]].clip(low, high)
    starts = [add_months(found.last, PERIOD_MONTHS[period] * step) for step in made.table["step"]]
    points = [
        _ahead(start, *numbers)
        for start, numbers in zip(starts, table.to_numpy().tolist(), strict=True)
    ]
    skill = float(made.backtest["skill"][made.method])
    return IndicatorForecast(method=made.method, skill=skill, trials=made.trials, points=points), ""


def _ahead(start: datetime, value: float, low: float, high: float) -> PeriodValue:
    return PeriodValue(period=first_day(start), value=value, low=low, high=high, asked=0, answered=0)
