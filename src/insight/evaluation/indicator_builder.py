"""Build the indicators of an evaluation from the tables of `insight.satisfaction.indicators`."""

import math
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import pandas as pd

from features.errors import DataRefused
from features.json_values import finite_or_none
from insight.evaluation.indicator_schema import (
    EmptyPeriod,
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

STALE = "non-response was estimated on other data; run `goodwill nonresponse`"


def build_indicator(tables: SatisfactionIndicator, inputs: SatisfactionInputs) -> Indicator:
    """Build the indicator of the last whole period, with its history, groups and corrected values.

    If that has too few answers, it is the indicator of the last period with enough. Raises DataRefused
    where no period has enough.
    """
    points = [period_value(row) for row in tables.over_time.table.to_dict("records")]
    last, empty = last_point(points, inputs, _count_cases(tables, inputs))
    customers = tables.over_time.table["customers"].iloc[-1]
    corrected, why = tables.corrected, tables.uncorrected_reason
    if corrected is not None and not corrected.fresh:
        corrected, why = None, STALE
    previous = previous_point(points, last, inputs)
    cuts = known_cuts(tables)
    return Indicator(
        name=tables.name, dimension=tables.dimension, title=tables.metric.title,
        unit=tables.metric.unit, kind="rate" if tables.metric.kind == "rate" else "mean",
        **last.model_dump(),
        coverage=last.answered / last.asked, customers=int(customers), over_time=points,
        before=previous.value if previous else None,
        year=_year(corrected), everybody=_everybody(corrected), why_not=why,
        cells=[_group_value(by, row, corrected) for by, cut in cuts.items()
               for row in cut.table.to_dict("records")],
        hidden={by: HiddenGroups(cells=cut.hidden, answers=cut.hidden_answers)
                for by, cut in cuts.items() if cut.hidden},
        empty_period=empty,
    )  # fmt: skip


def known_cuts(tables: SatisfactionIndicator) -> dict[str, Crosstab]:
    """Return the crosstabs by column, without columns that are unknown for everybody."""
    return {
        by: cut for by, cut in tables.by.items()
        if cut.hidden or cut.table[by].tolist() != [UNKNOWN]
    }  # fmt: skip


@dataclass(frozen=True)
class CaseCounts:
    """The cases behind an indicator by the first day of their period, and the day of the last one."""

    cases: Literal["answers", "customers", "complaints"]
    by_period: dict[date, int]
    last: date | None = None


def last_point(
    points: list[PeriodValue], inputs: SatisfactionInputs, counts: CaseCounts
) -> tuple[PeriodValue, EmptyPeriod | None]:
    """Return the value of the last period with enough cases, and the last period if it has too few.

    Raises DataRefused where no period has enough.
    """
    if not points:
        most = max(counts.by_period.values(), default=0)
        raise DataRefused(
            f"at most {most:,} {counts.cases} in a {inputs.settings.period}; the indicator "
            f"needs {inputs.settings.fewest}. Wait, survey more customers, or choose a longer period "
            "under [insight.satisfaction]"
        )
    newest = inputs.last.date()
    if points[-1].period == newest:
        return points[-1], None
    answered = counts.by_period.get(newest, 0)
    return points[-1], EmptyPeriod(
        period=newest, cases=counts.cases, answered=answered, last=counts.last
    )


def _count_cases(tables: SatisfactionIndicator, inputs: SatisfactionInputs) -> CaseCounts:
    """The answers or customers with a value by period; customers have no day of their own."""
    known = tables.metric.compute(tables.rows, inputs.settings)
    known = known[known["value"].notna()]
    counts = known.groupby("period").size()
    sizes = {
        first_day(start): int(n) for start, n in zip(counts.index.to_list(), counts, strict=True)
    }
    if tables.metric.source == "customers":
        return CaseCounts("customers", sizes)
    dates = pd.concat([known["answered_at"], _answered_outside(tables, inputs)])
    return CaseCounts("answers", sizes, first_day(dates.max()) if len(dates) else None)


def _answered_outside(
    tables: SatisfactionIndicator, inputs: SatisfactionInputs
) -> "pd.Series[pd.Timestamp]":
    """The times of the answers to the same question that were asked for outside the whole periods."""
    rows = inputs.outside_rows
    if rows.empty:
        return pd.Series(dtype="datetime64[us, UTC]")
    asked = tables.metric.compute(rows, inputs.settings)
    if tables.dimension is not None:
        asked = asked[asked["dimension"] == tables.dimension]
    return asked.loc[asked["value"].notna(), "answered_at"]


def previous_point(
    points: list[PeriodValue], last: PeriodValue, inputs: SatisfactionInputs
) -> PeriodValue | None:
    """Return the value of the whole period before that of `last`, None where it has none."""
    days = [start.date() for start in inputs.periods]
    place = days.index(last.period)
    return next((point for point in points if place and point.period == days[place - 1]), None)


def first_day(start: datetime) -> date:
    """Return the date of the first instant of a period."""
    day: date = pd.Timestamp(start).date()
    return day


def period_value(row: dict[Any, Any]) -> PeriodValue:
    """A row of a table over time as a value of its period."""
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
