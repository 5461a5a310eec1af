"""Build the indicators of an evaluation from the tables of `insight.satisfaction.indicators`."""

import math
from datetime import date, datetime
from typing import Any

import pandas as pd

from features.errors import DataRefused
from insight.evaluation.evaluation_schema import (
    GroupValue,
    HiddenGroups,
    Indicator,
    IntervalEstimate,
    PeriodValue,
)
from insight.satisfaction.crosstabs import Crosstab
from insight.satisfaction.indicators import SatisfactionIndicator
from insight.satisfaction.nonresponse_adjusted import CorrectedFigure
from insight.satisfaction.responses import UNKNOWN
from insight.satisfaction.satisfaction_inputs import SatisfactionInputs

STALE = "who answers was studied on other data; run `goodwill population` again"


def build_indicator(tables: SatisfactionIndicator, inputs: SatisfactionInputs) -> Indicator:
    """Build the indicator of the last whole period, with its history, groups and corrected values.

    Raises DataRefused where the last period has too few answers, naming the last period with enough.
    """
    points = [_period_value(row) for row in tables.over_time.table.to_dict("records")]
    last = last_point(points, inputs, _count_text(tables, inputs))
    customers = tables.over_time.table["customers"].iloc[-1]
    corrected, why = tables.corrected, tables.uncorrected_reason
    if corrected is not None and not corrected.fresh:
        corrected, why = None, STALE
    previous = previous_point(points, inputs)
    cuts = known_cuts(tables)
    return Indicator(
        name=tables.name, dimension=tables.dimension, title=tables.metric.title,
        unit=tables.metric.unit, kind=tables.metric.kind, **last.model_dump(),
        coverage=last.answered / last.asked, customers=int(customers), over_time=points,
        before=previous.value if previous else None,
        year=_year(corrected), everybody=_everybody(corrected), why_not=why,
        cells=[_group_value(by, row, corrected) for by, cut in cuts.items()
               for row in cut.table.to_dict("records")],
        hidden={by: HiddenGroups(cells=cut.hidden, answers=cut.hidden_answers)
                for by, cut in cuts.items() if cut.hidden},
    )  # fmt: skip


def known_cuts(tables: SatisfactionIndicator) -> dict[str, Crosstab]:
    """Return the crosstabs by column, without columns that are unknown for everybody."""
    return {
        by: cut for by, cut in tables.by.items()
        if cut.hidden or cut.table[by].tolist() != [UNKNOWN]
    }  # fmt: skip


def last_point(
    points: list[PeriodValue], inputs: SatisfactionInputs, counted: str
) -> PeriodValue:  # fmt: skip
    """Return the value of the last whole period; `counted` says what the period has ("12 answers").

    Raises DataRefused where it has none, naming the last period that has one.
    """
    if points and points[-1].period == inputs.last.date():
        return points[-1]
    period = f"{inputs.settings.period} from {inputs.last:%Y-%m-%d}"
    former = f"; the last figure is {points[-1].value:.4g} of {points[-1].period}" if points else ""
    raise DataRefused(
        f"{counted} in the {period}, a figure takes {inputs.settings.fewest}{former}: wait, "
        "ask more, or choose a longer period under [insight.satisfaction]"
    )


def _count_text(tables: SatisfactionIndicator, inputs: SatisfactionInputs) -> str:
    """The number of answers or customers of the last period that have a value, in words."""
    newest = tables.rows[tables.rows["period"] == inputs.last]
    count = int(tables.metric.compute(newest, inputs.settings)["value"].notna().sum())
    return f"{count:,} {'answers' if tables.metric.source == 'asked' else 'customers'}"


def previous_point(points: list[PeriodValue], inputs: SatisfactionInputs) -> PeriodValue | None:
    """Return the value of the whole period before the last, None where it has none."""
    day = inputs.periods[-2].date() if len(inputs.periods) > 1 else None
    return next((point for point in points if point.period == day), None)


def finite_or_none(value: float) -> float | None:
    """Return the number, or None where it is NaN or infinite: JSON has neither."""
    return float(value) if math.isfinite(value) else None


def first_day(start: datetime) -> date:
    """Return the date of the first instant of a period."""
    day: date = pd.Timestamp(start).date()
    return day


def _period_value(row: dict[Any, Any]) -> PeriodValue:
    return PeriodValue(
        period=first_day(row["period"]), value=row["value"], low=finite_or_none(row["low"]),
        high=finite_or_none(row["high"]), asked=row["asked"], answered=row["answered"],
    )  # fmt: skip


def _group_value(by: str, row: dict[Any, Any], corrected: CorrectedFigure | None) -> GroupValue:
    of_group = corrected.by.get(by, {}).get(row[by]) if corrected else None
    return GroupValue(
        by=by, group=row[by], value=row["value"], low=finite_or_none(row["low"]),
        high=finite_or_none(row["high"]), asked=row["asked"], answered=row["answered"],
        coverage=row["coverage"], customers=row["customers"], year=_year(of_group),
        everybody=_everybody(of_group),
    )  # fmt: skip


def _year(corrected: CorrectedFigure | None) -> float | None:
    return finite_or_none(corrected.answered) if corrected else None


def _everybody(corrected: CorrectedFigure | None) -> IntervalEstimate | None:
    if corrected is None or not math.isfinite(corrected.corrected):
        return None
    low, high = finite_or_none(corrected.low), finite_or_none(corrected.high)
    return IntervalEstimate(value=corrected.corrected, low=low, high=high)
