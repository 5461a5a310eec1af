"""Figures of the satisfaction library as an evaluation tells them: dates, nulls, and what moved."""

import math
from datetime import datetime
from typing import Any, Literal

import pandas as pd

from features.errors import DataRefused
from insight.evaluation.evaluation_schema import Cell, Figure, Hidden, Indicator, Point
from insight.satisfaction.crosstabs import Cells
from insight.satisfaction.indicators import Indicator as Measured
from insight.satisfaction.nonresponse_adjusted import Corrected
from insight.satisfaction.responses import UNKNOWN
from insight.satisfaction.satisfaction_inputs import Sources
from models.nonresponse.aipw import REACH

Moved = Literal["up", "down", "no", "unknown"]

STALE = "who answers was studied on other data; run `goodwill population` again"


def tell_figure(figure: Measured, found: Sources) -> Indicator:
    """A figure of the last whole period with its history, its cells and the corrected figures.

    Raises DataRefused where the last period has too few answers, with the last one that has not.
    """
    points = [_point(row) for row in figure.over_time.table.to_dict("records")]
    last = last_of(points, found, _counted(figure, found))
    customers = figure.over_time.table["customers"].iloc[-1]
    corrected, why = figure.corrected, figure.why_not
    if corrected is not None and not corrected.fresh:
        corrected, why = None, STALE
    former = before(points, found)
    cuts = cuts_of(figure)
    return Indicator(
        name=figure.name, dimension=figure.dimension, title=figure.measure.title,
        unit=figure.measure.unit, kind=figure.measure.kind, **last.model_dump(),
        coverage=last.answered / last.asked, customers=int(customers), over_time=points,
        before=former.value if former else None, moved=moved(last, former),
        year=_year(corrected), everybody=_everybody(corrected), why_not=why,
        cells=[_cell(by, row, corrected) for by, cut in cuts.items()
               for row in cut.table.to_dict("records")],
        hidden={by: Hidden(cells=cut.hidden, answers=cut.hidden_answers)
                for by, cut in cuts.items() if cut.hidden},
    )  # fmt: skip


def cuts_of(figure: Measured) -> dict[str, Cells]:
    """The cuts that tell groups apart: not those in which nobody's group is known."""
    return {
        by: cut for by, cut in figure.by.items()
        if cut.hidden or cut.table[by].tolist() != [UNKNOWN]
    }  # fmt: skip


def last_of(points: list[Point], found: Sources, counted: str) -> Point:
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


def before(points: list[Point], found: Sources) -> Point | None:
    """The point of the whole period before the last, None where it has none."""
    day = found.periods[-2].date() if len(found.periods) > 1 else None
    return next((point for point in points if point.period == day), None)


def moved(last: Point, former: Point | None) -> Moved:
    """Whether two figures differ by more than chance, told by both standard errors.

    Customers of both periods are taken for different ones, which makes a move a little harder.
    """
    errors = [error_of(point) for point in (last, former) if point]
    if former is None or None in errors:
        return "unknown"
    reach = REACH * math.hypot(*[error for error in errors if error is not None])
    if abs(last.value - former.value) <= reach:
        return "no"
    return "up" if last.value > former.value else "down"


def error_of(point: Point) -> float | None:
    """The standard error, by the width of the interval; None where an end is not known."""
    if point.low is None or point.high is None:
        return None
    return (point.high - point.low) / (2 * REACH)


def known(value: float) -> float | None:
    """A number as JSON tells it: None unless it is one."""
    return float(value) if math.isfinite(value) else None


def day_of(moment: datetime) -> Any:
    """The first day of a period."""
    return pd.Timestamp(moment).date()


def _point(row: dict[Any, Any]) -> Point:
    return Point(
        period=day_of(row["period"]), value=row["value"], low=known(row["low"]),
        high=known(row["high"]), asked=row["asked"], answered=row["answered"],
    )  # fmt: skip


def _cell(by: str, row: dict[Any, Any], corrected: Corrected | None) -> Cell:
    both = corrected.by.get(by, {}).get(row[by]) if corrected else None
    return Cell(
        by=by, group=row[by], value=row["value"], low=known(row["low"]), high=known(row["high"]),
        asked=row["asked"], answered=row["answered"], coverage=row["coverage"],
        customers=row["customers"], year=_year(both), everybody=_everybody(both),
    )  # fmt: skip


def _year(corrected: Corrected | None) -> float | None:
    return known(corrected.answered) if corrected else None


def _everybody(corrected: Corrected | None) -> Figure | None:
    if corrected is None or not math.isfinite(corrected.everybody):
        return None
    low, high = known(corrected.low), known(corrected.high)
    return Figure(value=corrected.everybody, low=low, high=high)
