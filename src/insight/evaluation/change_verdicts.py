"""Verdicts of the control charts: computed once for all indicators and groups of an evaluation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from insight.evaluation.indicator_builder import first_day
from insight.evaluation.indicator_forecasts import EVERYTHING, IndicatorSeries
from insight.evaluation.indicator_schema import (
    UNWATCHED,
    ChangeDirection,
    ChangeVerdict,
    Indicator,
    IndicatorAlert,
    IndicatorLevel,
    VerdictKind,
)
from insight.satisfaction.behavioural_rates import PERIOD_MONTHS
from insight.satisfaction.control_charts import ChartLine, watch_lines
from insight.satisfaction.satisfaction_inputs import SatisfactionInputs
from models.nonresponse.aipw import Z_95

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class IndicatorLine:
    """An indicator of the whole company (`by` and `group` are "all") or of a group, over time.

    `points` has `period` (the first day), `value`, `low`, `high` (95%) and `answered`.
    """

    indicator: str
    dimension: str | None
    by: str
    group: str
    points: pd.DataFrame


def company_line(indicator: Indicator) -> IndicatorLine:
    """Return the line of an indicator of the whole company."""
    points = pd.DataFrame([point.model_dump() for point in indicator.over_time])
    return IndicatorLine(indicator.name, indicator.dimension, EVERYTHING, EVERYTHING, points)


def group_lines(indicator: Indicator, series: IndicatorSeries) -> list[IndicatorLine]:
    """Return the lines of the groups of an indicator."""
    return [
        IndicatorLine(
            indicator.name, indicator.dimension, by, group,
            one.assign(period=[first_day(start) for start in one["period"]]),
        )
        for (by, group), one in series.items() if by != EVERYTHING
    ]  # fmt: skip


def judge_changes(
    lines: Sequence[IndicatorLine], inputs: SatisfactionInputs
) -> list[ChangeVerdict]:
    """Judge the last whole period of each line by its control chart.

    The lines of the whole company and those of the groups are two families, each with a limited
    false-discovery rate, so that many groups do not hide a change of the whole company.
    """
    days = [first_day(start) for start in inputs.periods]
    seasons = 12 // PERIOD_MONTHS[inputs.settings.period]
    charts = watch_lines([_chart_line(line, days) for line in lines], seasons)
    return [_verdict(chart, days) for chart in charts]


def with_verdict(indicator: Indicator, verdict: ChangeVerdict) -> Indicator:
    """Return the indicator with its verdict."""
    return indicator.model_copy(update={"verdict": verdict, "moved": verdict.direction})


def list_alerts(
    lines: Sequence[IndicatorLine], verdicts: Sequence[ChangeVerdict], inputs: SatisfactionInputs
) -> list[IndicatorAlert]:
    """Return the verdicts that are alerts: the whole company first, then the clearest."""
    found = [
        _alert(line, verdict, first_day(inputs.last))
        for line, verdict in zip(lines, verdicts, strict=True) if verdict.is_alert
    ]  # fmt: skip
    return sorted(found, key=lambda alert: (alert.by != EVERYTHING, -abs(alert.errors_off)))


def _alert(line: IndicatorLine, verdict: ChangeVerdict, period: date) -> IndicatorAlert:
    values = line.points.set_index("period")["value"]
    told = verdict.model_dump(include={"kind", "expected", "errors_off", "since"})
    return IndicatorAlert(
        indicator=line.indicator, dimension=line.dimension, by=line.by, group=line.group,
        period=period, value=float(values[period]), level=verdict.level, **told,
    )  # fmt: skip


def _chart_line(line: IndicatorLine, days: list[date]) -> ChartLine:
    """The line over all periods; a value without a standard error gets that of the others.

    Answers that are all equal have a standard error of 0, which is not the chance they would have.
    """
    points = line.points.set_index("period").reindex(days)
    value, count = (points[name].to_numpy(np.float64) for name in ("value", "answered"))
    width = points["high"].to_numpy(np.float64) - points["low"].to_numpy(np.float64)
    error = width / (2 * Z_95)
    usable = np.isfinite(value) & np.isfinite(error) & (error > 0) & (count > 0)
    if not usable.any():
        value = np.full(len(days), np.nan)
    else:
        single = float((error[usable] ** 2 * count[usable]).mean())
        error = np.where(usable, error, np.sqrt(single / np.maximum(count, 1)))
    family = "company" if line.by == EVERYTHING else "groups"
    return ChartLine(value, error, count, family)


def _verdict(chart: pd.DataFrame, days: list[date]) -> ChangeVerdict:
    last = chart.iloc[-1]
    if not (math.isfinite(last["expected"]) and math.isfinite(last["off"])):
        return UNWATCHED
    kinds: dict[str, VerdictKind] = {"jump": "jump", "shift": "shift"}
    kind = kinds.get(last["kind"], "usual")
    direction: ChangeDirection = "no"
    if kind != "usual":
        direction = "up" if last["off"] > 0 else "down"
    return ChangeVerdict(
        kind=kind, direction=direction, expected=last["expected"], low=last["low"],
        high=last["high"], since=days[int(last["since"])], errors_off=last["off"], chance=last["p"],
        levels=_levels(chart, days),
    )  # fmt: skip


def _levels(chart: pd.DataFrame, days: list[date]) -> list[IndicatorLevel]:
    """The level of each stretch between lasting changes, as last estimated."""
    known = chart[chart["level"].notna() & (chart["kind"] != "jump")]
    latest = known.groupby("since")["level"].last()
    stretches: dict[int, float] = latest.to_dict()  # type: ignore[assignment]  # by first period
    return [IndicatorLevel(since=days[int(s)], value=v) for s, v in stretches.items()]
