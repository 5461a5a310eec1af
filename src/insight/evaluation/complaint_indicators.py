"""The indicators complaints give, period by period and group by group."""

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pandas as pd

from features.config.company import Company
from features.errors import DataRefused
from features.settings import Workspace
from insight.closed_loop.complaint_targets import NAMES, complaint_indicators
from insight.closed_loop.target_status import Measured
from insight.complaints.intake import Complaints, complaints
from insight.evaluation.evaluation_schema import GroupValue, HiddenGroups, Indicator, PeriodValue
from insight.evaluation.indicator_builder import previous_point, first_day, finite_or_none, last_point, change_direction
from insight.satisfaction.behavioural_rates import PERIOD_MONTHS, add_months
from insight.satisfaction.nonresponse_adjusted import NOT_ASKED
from insight.satisfaction.responses import UNKNOWN
from insight.satisfaction.satisfaction_inputs import Sources
from models.nonresponse.disclosure_control import hidden_groups


@dataclass(frozen=True)
class ComplaintIndicator:
    """A complaint indicator in words, and the column whose values are its answers."""

    title: str
    unit: str
    column: str
    lacking: str


@dataclass(frozen=True)
class ComplaintGroup:
    """The complaints of a group, and the indicators they give."""

    name: str
    rows: pd.DataFrame
    measured: dict[str, Measured | None]


COMPLAINT_INDICATORS = dict(zip(NAMES, (
    ComplaintIndicator("Hours to the first reply, median", "hours", "first_reply_at", "first replies"),
    ComplaintIndicator("Days to the solution, median", "days", "closed_at", "solutions"),
    ComplaintIndicator("Solved complaints opened again", "share of solved complaints", "reopened",
         "which complaints were opened again"),
), strict=True))  # fmt: skip


def measure_complaint_indicators(
    company: Company, workspace: Workspace, found: Sources
) -> tuple[list[Indicator], dict[str, str]]:
    """The complaint indicators of the complaints received in each period; why others are missing.

    They are cut by category, too. What is not over counts for as long as it has lasted.
    """
    try:
        received = complaints(company, workspace)
    except DataRefused as err:
        return [], dict.fromkeys(NAMES, str(err))
    table = _described(_in_periods(received.table, found), found)
    if table.empty:
        return [], dict.fromkeys(NAMES, "no complaint was received in a whole period")
    lines = {
        start: complaint_indicators(replace(received, table=table[table["period"] == start]))
        for start in found.periods
    }
    told, lacking = [], {}
    for name in NAMES:
        try:
            told.append(_told(name, lines, table, found))
        except DataRefused as err:
            lacking[name] = str(err)
    cuts = _cuts(replace(received, table=table[table["period"] == found.last]), found)
    return [_with_cells(one, cuts, found) for one in told], lacking


def _in_periods(table: pd.DataFrame, found: Sources) -> pd.DataFrame:
    """Complaints of the whole periods, each with the first instant of its own."""
    starts = pd.DatetimeIndex(found.periods)
    end = add_months(found.last, PERIOD_MONTHS[found.choices.period])
    inside = table[(table["opened_at"] >= starts[0]) & (table["opened_at"] < end)]
    place = starts.searchsorted(inside["opened_at"], side="right") - 1
    return inside.assign(period=starts[place])


def _described(table: pd.DataFrame, found: Sources) -> pd.DataFrame:
    """Complaints with their customer's attributes and standing at the start of the period."""
    table = table.assign(channel=table["channel"].fillna(UNKNOWN))
    columns = [name for name in found.by if name not in table]
    if not columns or "customers" not in found.rows:
        return table
    known_then = found.rows["customers"][["customer_id", "period", *columns]]
    told = table.astype({"period": known_then["period"].dtype}).merge(
        known_then, on=["customer_id", "period"], how="left"
    )
    return told.fillna(dict.fromkeys(columns, UNKNOWN))


def _told(
    name: str, lines: dict[datetime, dict[str, Measured | None]], table: pd.DataFrame, found: Sources
) -> Indicator:  # fmt: skip
    kind = COMPLAINT_INDICATORS[name]
    if not table[kind.column].notna().any():
        raise DataRefused(
            f"nobody recorded {kind.lacking}: map the column {kind.column} of tickets"
        )
    points = []
    for start, measured in lines.items():
        figure = measured[name]
        if figure and figure.n >= found.choices.fewest and finite_or_none(figure.value) is not None:
            asked, answered = _counted(kind, table[table["period"] == start])
            points.append(PeriodValue(
                period=first_day(start), value=figure.value, low=finite_or_none(figure.low),
                high=finite_or_none(figure.high), asked=asked, answered=answered,
            ))  # fmt: skip
    last = last_point(points, found, _last_counted(lines[found.last][name], found))
    former = previous_point(points, found)
    customers = table.loc[table["period"] == found.last, "customer_id"].nunique()
    return Indicator(
        name=name, title=kind.title, unit=kind.unit,
        kind="rate" if name == "reopen_rate" else "median", **last.model_dump(),
        coverage=last.answered / last.asked, customers=int(customers), over_time=points,
        before=former.value if former else None, moved=change_direction(last, former),
        why_not=NOT_ASKED,
    )  # fmt: skip


def _last_counted(newest: Measured | None, found: Sources) -> str:
    """How many complaints the last period has, in words.

    Raises DataRefused where they are enough and most still wait: their median is not known yet.
    """
    count = newest.n if newest else 0
    if newest and count >= found.choices.fewest and finite_or_none(newest.value) is None:
        raise DataRefused(
            f"more than half of the {count:,} complaints in the {found.choices.period} from "
            f"{found.last:%Y-%m-%d} still wait, so their median is not known yet: answer them, or "
            "record when they were answered"
        )
    return f"{count:,} complaints"


def _counted(kind: ComplaintIndicator, part: pd.DataFrame) -> tuple[int, int]:
    """How many complaints an indicator is about, and of how many it is known."""
    about = part[part["closed_at"].notna()] if kind.column == "reopened" else part
    return len(about), int(about[kind.column].notna().sum())


def _cuts(newest: Complaints, found: Sources) -> dict[str, list[ComplaintGroup]]:
    """The complaints of the last period by channel, category, attribute and standing."""
    cuts = {}
    for by in (*found.by, "category"):
        if by in newest.table and not newest.table[by].eq(UNKNOWN).all():
            parts = newest.table.groupby(by, sort=True)
            cuts[by] = [
                ComplaintGroup(str(name), part, complaint_indicators(replace(newest, table=part)))
                for name, part in parts
            ]
    return cuts


def _with_cells(told: Indicator, cuts: dict[str, list[ComplaintGroup]], found: Sources) -> Indicator:
    """The indicator in every group that is not too small."""
    shown: list[GroupValue] = []
    hidden = {}
    for by, groups in cuts.items():
        figures = [group.measured[told.name] for group in groups]
        sizes = [figure.n if figure else 0 for figure in figures]
        out = hidden_groups(sizes, found.choices.fewest)
        cells = [
            _cell(by, group, figure, told.name)
            for group, figure, small in zip(groups, figures, out, strict=True)
            if figure and not small
        ]
        shown += [cell for cell in cells if cell]
        if out.any():
            hidden[by] = HiddenGroups(cells=int(out.sum()), answers=int(np.array(sizes)[out].sum()))
    return told.model_copy(update={"cells": shown, "hidden": hidden})


def _cell(by: str, group: ComplaintGroup, figure: Measured, indicator: str) -> GroupValue | None:
    """A group's figure; None where more than half of its complaints still wait."""
    if finite_or_none(figure.value) is None:
        return None
    asked, answered = _counted(COMPLAINT_INDICATORS[indicator], group.rows)
    return GroupValue(
        by=by, group=group.name, value=figure.value, low=finite_or_none(figure.low), high=finite_or_none(figure.high),
        asked=asked, answered=answered, coverage=answered / asked,
        customers=int(group.rows["customer_id"].nunique()),
    )  # fmt: skip
