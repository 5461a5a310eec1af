"""Indicators of complaint handling by period and group: reply time, solution time, reopen rate."""

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pandas as pd

from features.calendar_periods import add_months
from features.config.company import Company
from features.errors import DataRefused
from features.json_values import finite_or_none
from features.settings import Workspace
from insight.closed_loop.target_status import Measurement
from insight.complaints.handling_times import compute_cycle_times, compute_reopen_rates
from insight.complaints.intake import Complaints, read_complaints
from insight.evaluation.indicator_builder import (
    CaseCounts,
    first_day,
    last_point,
    previous_point,
)
from insight.evaluation.indicator_schema import GroupValue, HiddenGroups, Indicator, PeriodValue
from insight.satisfaction.behavioural_rates import PERIOD_MONTHS
from insight.satisfaction.nonresponse_adjusted import NOT_ASKED
from insight.satisfaction.responses import UNKNOWN
from insight.satisfaction.satisfaction_inputs import SatisfactionInputs, labels_of
from models.nonresponse.group_estimates import suppress_small_groups

#: The measurement of each complaint indicator; None where the company does not record it.
ComplaintMeasurements = dict[str, Measurement | None]


@dataclass(frozen=True)
class ComplaintIndicator:
    """Title and unit of a complaint indicator, and the column that shows whether a complaint counts."""

    title: str
    unit: str
    column: str
    recorded: str


@dataclass(frozen=True)
class ComplaintGroup:
    """The complaints of a group with their measurements."""

    name: str
    rows: pd.DataFrame
    measured: ComplaintMeasurements


COMPLAINT_INDICATORS = {
    "hours_to_reply": ComplaintIndicator(
        "Hours to the first reply, median", "hours", "first_reply_at", "first replies"
    ),
    "days_to_solution": ComplaintIndicator(
        "Days to the solution, median", "days", "closed_at", "solutions"
    ),
    "reopen_rate": ComplaintIndicator(
        "Solved complaints opened again", "share of solved complaints", "reopened",
        "which complaints were opened again",
    ),
}  # fmt: skip


def measure_complaints(complaints: Complaints) -> ComplaintMeasurements:
    """Measure median hours to the first reply, median days to the solution, and the reopen rate.

    Open complaints count with the time they have waited so far. `answered` is the number of complaints.
    """
    measured: ComplaintMeasurements = dict.fromkeys(COMPLAINT_INDICATORS)
    steps = {"first reply": "hours_to_reply", "solution": "days_to_solution"}
    for time in compute_cycle_times(complaints.table, complaints.end, by_category=False):
        measured[steps[time.step]] = Measurement(time.median, time.low, time.high, time.complaints)
    for rate in compute_reopen_rates(complaints.table, by_category=False):
        measured["reopen_rate"] = Measurement(rate.rate, rate.low, rate.high, rate.solved)
    return measured


def measure_complaint_indicators(
    company: Company, workspace: Workspace, inputs: SatisfactionInputs
) -> tuple[list[Indicator], dict[str, str]]:
    """Measure the indicators of the complaints received in each period, by group and category.

    Returns the reasons of those without data as well.
    """
    try:
        received = read_complaints(company, workspace)
    except DataRefused as err:
        return [], dict.fromkeys(COMPLAINT_INDICATORS, str(err))
    table = _join_attributes(_in_whole_periods(received.table, inputs), inputs)
    if table.empty:
        why = (
            f"all {len(received.table):,} complaints were received outside the whole "
            f"{inputs.settings.period}s of the data"
        )
        return [], dict.fromkeys(COMPLAINT_INDICATORS, why)
    by_period = {
        start: measure_complaints(replace(received, table=table[table["period"] == start]))
        for start in inputs.periods
    }
    measured, missing = [], {}
    for name in COMPLAINT_INDICATORS:
        try:
            measured.append(_indicator(name, by_period, table, inputs))
        except DataRefused as err:
            missing[name] = str(err)
    days = table["period"].dt.date
    groups = {
        day: _groups(replace(received, table=table[days == day]), inputs)
        for day in {indicator.period for indicator in measured}
    }
    return [_with_groups(one, groups[one.period], inputs) for one in measured], missing


def _in_whole_periods(table: pd.DataFrame, inputs: SatisfactionInputs) -> pd.DataFrame:
    """The complaints of whole periods, with the label of their period."""
    starts = pd.DatetimeIndex(inputs.periods)
    end = add_months(inputs.last, PERIOD_MONTHS[inputs.settings.period])
    opened = labels_of(table["opened_at"], inputs.zone)
    inside = (opened >= starts[0]) & (opened < end)
    place = starts.searchsorted(opened[inside], side="right") - 1
    return table[inside].assign(period=starts[place])


def _join_attributes(table: pd.DataFrame, inputs: SatisfactionInputs) -> pd.DataFrame:
    """The complaints with the customer's attributes and status at the start of the period."""
    table = table.assign(channel=table["channel"].fillna(UNKNOWN))
    columns = [name for name in inputs.by if name not in table]
    if not columns or "customers" not in inputs.rows:
        return table
    known_then = inputs.rows["customers"][["customer_id", "period", *columns]]
    joined = table.astype({"period": known_then["period"].dtype}).merge(
        known_then, on=["customer_id", "period"], how="left"
    )
    return joined.fillna(dict.fromkeys(columns, UNKNOWN))


def _indicator(
    name: str,
    by_period: dict[datetime, ComplaintMeasurements],
    table: pd.DataFrame,
    inputs: SatisfactionInputs,
) -> Indicator:
    about = COMPLAINT_INDICATORS[name]
    if not table[about.column].notna().any():
        raise DataRefused(
            f"no records of {about.recorded}: map the column {about.column} of tickets"
        )
    _check_known(by_period[inputs.last][name], inputs)
    points = _period_values(name, by_period, table, inputs)
    counts = CaseCounts(
        "complaints",
        {first_day(start): _cases(measured[name]) for start, measured in by_period.items()},
        first_day(table["opened_at"].max()),
    )
    last, empty = last_point(points, inputs, counts)
    previous = previous_point(points, last, inputs)
    customers = table.loc[table["period"].dt.date == last.period, "customer_id"].nunique()
    return Indicator(
        name=name, title=about.title, unit=about.unit,
        kind="rate" if name == "reopen_rate" else "median", **last.model_dump(),
        coverage=last.answered / last.asked, customers=int(customers), over_time=points,
        before=previous.value if previous else None,
        why_not=NOT_ASKED, empty_period=empty,
    )  # fmt: skip


def _period_values(
    name: str,
    by_period: dict[datetime, ComplaintMeasurements],
    table: pd.DataFrame,
    inputs: SatisfactionInputs,
) -> list[PeriodValue]:
    """The values of the periods with enough complaints and a known value."""
    points = []
    for start, measured in by_period.items():
        found = measured[name]
        if (
            found
            and found.answered >= inputs.settings.fewest
            and finite_or_none(found.value) is not None
        ):
            counts = _count(COMPLAINT_INDICATORS[name], table[table["period"] == start])
            points.append(PeriodValue(
                period=first_day(start), value=found.value, low=finite_or_none(found.low),
                high=finite_or_none(found.high), asked=counts[0], answered=counts[1],
            ))  # fmt: skip
    return points


def _cases(found: Measurement | None) -> int:
    return found.answered if found else 0


def _check_known(newest: Measurement | None, inputs: SatisfactionInputs) -> None:
    """Raise DataRefused where most complaints of the last period are open: their median is not known."""
    count = _cases(newest)
    if newest and count >= inputs.settings.fewest and finite_or_none(newest.value) is None:
        raise DataRefused(
            f"more than half of the {count:,} complaints in the {inputs.settings.period} from "
            f"{inputs.last:%Y-%m-%d} are still open, so the median is not known yet: answer "
            "them, or record when they were answered"
        )


def _count(about: ComplaintIndicator, rows: pd.DataFrame) -> tuple[int, int]:
    """The number of complaints that an indicator is about, and of those with a value."""
    relevant = rows[rows["closed_at"].notna()] if about.column == "reopened" else rows
    return len(relevant), int(relevant[about.column].notna().sum())


def _groups(newest: Complaints, inputs: SatisfactionInputs) -> dict[str, list[ComplaintGroup]]:
    """The complaints of the last period by channel, attribute, status and category."""
    found = {}
    for by in (*inputs.by, "category"):
        if by in newest.table and not newest.table[by].eq(UNKNOWN).all():
            parts = newest.table.groupby(by, sort=True)
            found[by] = [
                ComplaintGroup(str(name), part, measure_complaints(replace(newest, table=part)))
                for name, part in parts
            ]
    return found


def _with_groups(
    indicator: Indicator, groups: dict[str, list[ComplaintGroup]], inputs: SatisfactionInputs
) -> Indicator:
    """The indicator with its value in every group that is large enough to show."""
    shown: list[GroupValue] = []
    hidden = {}
    for by, of_column in groups.items():
        measured = [group.measured[indicator.name] for group in of_column]
        sizes = [found.answered if found else 0 for found in measured]
        out = suppress_small_groups(sizes, inputs.settings.fewest)
        values = [
            _group_value(by, group, found, indicator.name)
            for group, found, small in zip(of_column, measured, out, strict=True)
            if found and not small
        ]
        shown += [value for value in values if value]
        if out.any():
            hidden[by] = HiddenGroups(cells=int(out.sum()), answers=int(np.array(sizes)[out].sum()))
    return indicator.model_copy(update={"cells": shown, "hidden": hidden})


def _group_value(
    by: str, group: ComplaintGroup, found: Measurement, indicator: str
) -> GroupValue | None:
    """The value of a group; None where more than half of its complaints are open."""
    if finite_or_none(found.value) is None:
        return None
    asked, answered = _count(COMPLAINT_INDICATORS[indicator], group.rows)
    return GroupValue(
        by=by, group=group.name, value=found.value, low=finite_or_none(found.low),
        high=finite_or_none(found.high), asked=asked, answered=answered, coverage=answered / asked,
        customers=int(group.rows["customer_id"].nunique()),
    )  # fmt: skip
