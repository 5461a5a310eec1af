"""All satisfaction figures of a company at once: over time, by segment, beside the corrected ones."""

from dataclasses import dataclass
from datetime import datetime

import duckdb
import pandas as pd

from features.company import Company
from features.errors import DataRefused
from features.settings import Workspace
from features.storage import Manifest
from insight.past import history
from insight.satisfaction.answers import asked
from insight.satisfaction.cells import Cells, cells
from insight.satisfaction.choices import Satisfaction
from insight.satisfaction.corrected import Corrected, corrected_figures
from insight.satisfaction.measures import MEASURES, Measure
from insight.satisfaction.rates import customers_by_period, whole_periods
from insight.settings import section


@dataclass(frozen=True)
class Indicator:
    """A figure over the whole periods of the data, and by each column within the last of them.

    `corrected` tells of the last year's questions what everybody asked would have answered; `why_not`
    says why it is missing.
    """

    name: str
    measure: Measure
    over_time: Cells
    by: dict[str, Cells]
    corrected: Corrected | None = None
    why_not: str = ""


@dataclass(frozen=True)
class Indicators:
    """The figures that have data, the last whole period, and the figures left out with the reason.

    `outside` questions were sent in no whole period: they still wait for answers, or came early.
    """

    figures: list[Indicator]
    last_period: datetime
    skipped: dict[str, str]
    outside: int


def indicators(company: Company, workspace: Workspace) -> Indicators:
    """Every figure of `MEASURES` a company has data for, as `[insight.satisfaction]` cuts them.

    Raises DataRefused without a history or a whole period in it, ConfigRefused for an attribute the
    company lacks; a figure without data is skipped and told.
    """
    choices = section(company, "satisfaction", Satisfaction)
    manifest = Manifest.read(workspace, company.name)
    periods = [start for start, _ in whole_periods(manifest, choices.period)]
    if not periods:
        raise DataRefused(
            f"the data, {manifest.data_start[:10]} to {manifest.data_end[:10]}, hold no whole "
            f"{choices.period}; choose a shorter period under [insight.satisfaction]"
        )
    with history(workspace, company.name) as con:
        rows, lacking = _sources(con, company, manifest, choices)
    questions = rows.get("asked")
    outside = 0
    if questions is not None:
        inside = questions["period"].isin(periods)
        rows["asked"], outside = questions[inside], int((~inside).sum())
    beside, why = corrected_figures(company, workspace, manifest.fingerprint)
    figures, skipped = [], {}
    for name, measure in MEASURES.items():
        if measure.source not in rows:
            skipped[name] = lacking[measure.source]
            continue
        try:
            over_time, by = _cut(measure, rows[measure.source], choices, periods[-1])
        except DataRefused as err:
            skipped[name] = str(err)
            continue
        figures.append(Indicator(name, measure, over_time, by, beside.get(name), why.get(name, "")))
    return Indicators(figures, periods[-1], skipped, outside)


def _sources(
    con: duckdb.DuckDBPyConnection, company: Company, manifest: Manifest, choices: Satisfaction
) -> tuple[dict[str, pd.DataFrame], dict[str, str]]:
    """What figures are made of, and why some of it is not there."""
    rows, lacking = {}, {}
    try:
        rows["asked"] = asked(con, manifest, choices)
    except DataRefused as err:
        lacking["asked"] = str(err)
    try:
        rows["customers"] = customers_by_period(con, company, manifest, choices)
    except DataRefused as err:
        lacking["customers"] = str(err)
    return rows, lacking


def _cut(
    measure: Measure, rows: pd.DataFrame, choices: Satisfaction, last: datetime
) -> tuple[Cells, dict[str, Cells]]:
    """The figure by period, and by each column within the last one where it has data there."""
    over_time = cells(measure, rows, choices, ("period",))
    newest = rows[rows["period"] == last]
    by = {}
    for column in ("channel", *choices.by):
        if measure.of(newest, choices)["value"].notna().any():
            by[column] = cells(measure, newest, choices, (column,))
    return over_time, by
