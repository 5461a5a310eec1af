"""Figures of the satisfaction library as an evaluation tells them: dates, nulls, and what moved."""

import math
from datetime import datetime
from typing import Any, Literal

import pandas as pd

from features.errors import DataRefused
from insight.evaluation.evaluation_schema import GroupValue, IntervalEstimate, HiddenGroups, Indicator, PeriodValue
from insight.satisfaction.crosstabs import Crosstab
from insight.satisfaction.indicators import SatisfactionIndicator as Measured
from insight.satisfaction.nonresponse_adjusted import CorrectedFigure
from insight.satisfaction.responses import UNKNOWN
from insight.satisfaction.satisfaction_inputs import Sources
from models.nonresponse.aipw import REACH

Moved = Literal["up", "down", "no", "unknown"]

STALE = "who answers was studied on other data; run `goodwill population` again"


def build_indicator(figure: Measured, found: Sources) -> Indicator:
    """A figure of the last whole period with its history, its cells and the corrected figures.

    Raises DataRefused where the last period has too few answers, with the last one that has not.
    """
    points = [_point(row) for row in figure.over_time.table.to_dict("records")]
    last = last_point(points, found, _counted(figure, found))
    customers = figure.over_time.table["customers"].iloc[-1]
    corrected, why = figure.corrected, figure.why_not
    if corrected is not None and not corrected.fresh:
        corrected, why = None, STALE
    former = previous_point(points, found)
    cuts = known_cuts(figure)
    return Indicator(
        name=figure.name, dimension=figure.dimension, title=figure.measure.title,
        unit=figure.measure.unit, kind=figure.measure.kind, **last.model_dump(),
        coverage=last.answered / last.asked, customers=int(customers), over_time=points,
        before=former.value if former else None, moved=change_direction(last, former),
        year=_year(corrected), everybody=_everybody(corrected), why_not=why,
        cells=[_cell(by, row, corrected) for by, cut in cuts.items()
               for row in cut.table.to_dict("records")],
        hidden={by: HiddenGroups(cells=cut.hidden, answers=cut.hidden_answers)
                for by, cut in cuts.items() if cut.hidden},
    )  # fmt: skip


def known_cuts(figure: Measured) -> dict[str, Crosstab]:
    """The cuts that tell groups apart: not those in which nobody's group is known."""
    return {
        by: cut for by, cut in figure.by.items()
        if cut.hidden or cut.table[by].tolist() != [UNKNOWN]
    }  # fmt: skip


def last_point(points: list[PeriodValue], found: Sources, counted: str) -> PeriodValue:
    """The point of the last whole period, in which so many were `counted` ("12 answers").

    Raises DataRefused where it has none, naming the last that has.
    """
    if points and points[-1].period == found.last.date():
        return points[-1]
    told = f"{found.choices.period} from {found.last:%Y-%m-%d}"
    former = f"; the last figure is {points[-1].value:.4g} of {points[-1].period}" if points else ""
    raise DataRefused(
        f"{counted} in the {told}, a figure takes {found.choices.fewest}{former}: wait, ask more, or "
        "choose a longer period under [insight.satisfaction]"
    )


def _counted(figure: Measured, found: Sources) -> str:
    """How many answers or customers of the last period a figure is made of, in words."""
    newest = figure.rows[figure.rows["period"] == found.last]
    count = int(figure.measure.of(newest, found.choices)["value"].notna().sum())
    return f"{count:,} {'answers' if figure.measure.source == 'asked' else 'customers'}"


def previous_point(points: list[PeriodValue], found: Sources) -> PeriodValue | None:
    """The point of the whole period before the last, None where it has none."""
    day = found.periods[-2].date() if len(found.periods) > 1 else None
    return next((point for point in points if point.period == day), None)


def change_direction(last: PeriodValue, former: PeriodValue | None) -> Moved:
    """Whether two figures differ by more than chance, told by both standard errors.

    Customers of both periods are taken for different ones, which makes a move a little harder.
    """
    errors = [standard_error(point) for point in (last, former) if point]
    if former is None or None in errors:
        return "unknown"
    reach = REACH * math.hypot(*[error for error in errors if error is not None])
    if abs(last.value - former.value) <= reach:
        return "no"
    return "up" if last.value > former.value else "down"


def standard_error(point: PeriodValue) -> float | None:
    """The standard error, by the width of the interval; None where an end is not known."""
    if point.low is None or point.high is None:
        return None
    return (point.high - point.low) / (2 * REACH)


def finite_or_none(value: float) -> float | None:
    """A number as JSON tells it: None unless it is one."""
    return float(value) if math.isfinite(value) else None


def first_day(moment: datetime) -> Any:
    """The first day of a period."""
    return pd.Timestamp(moment).date()


def _point(row: dict[Any, Any]) -> PeriodValue:
    return PeriodValue(
        period=first_day(row["period"]), value=row["value"], low=finite_or_none(row["low"]),
        high=finite_or_none(row["high"]), asked=row["asked"], answered=row["answered"],
    )  # fmt: skip


def _cell(by: str, row: dict[Any, Any], corrected: CorrectedFigure | None) -> GroupValue:
    both = corrected.by.get(by, {}).get(row[by]) if corrected else None
    return GroupValue(
        by=by, group=row[by], value=row["value"], low=finite_or_none(row["low"]), high=finite_or_none(row["high"]),
        asked=row["asked"], answered=row["answered"], coverage=row["coverage"],
        customers=row["customers"], year=_year(both), everybody=_everybody(both),
    )  # fmt: skip


def _year(corrected: CorrectedFigure | None) -> float | None:
    return finite_or_none(corrected.answered) if corrected else None


def _everybody(corrected: CorrectedFigure | None) -> IntervalEstimate | None:
    if corrected is None or not math.isfinite(corrected.everybody):
        return None
    low, high = finite_or_none(corrected.low), finite_or_none(corrected.high)
    return IntervalEstimate(value=corrected.everybody, low=low, high=high)
