"""All satisfaction figures of a company at once: over time, by group, beside the corrected ones."""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from features.config.company import Company
from features.errors import DataRefused
from features.settings import Workspace
from insight.satisfaction.crosstabs import Crosstab, cross_tabulate
from insight.satisfaction.nonresponse_adjusted import (
    NOT_ASKED,
    NOT_STUDIED,
    CorrectedFigure,
    read_corrected_figures,
)
from insight.satisfaction.satisfaction_inputs import Sources, sources
from insight.satisfaction.satisfaction_metrics import MEASURES, Measure


@dataclass(frozen=True)
class SatisfactionIndicator:
    """A figure over the whole periods of the data, and by each column within the last of them.

    `dimension` is that of a figure asked by dimension, else None. `corrected` tells of the last year's
    questions what everybody asked would have answered; `why_not` says why it is missing. `rows` are
    those it is about.
    """

    name: str
    dimension: str | None
    measure: Measure
    rows: pd.DataFrame
    over_time: Crosstab
    by: dict[str, Crosstab]
    corrected: CorrectedFigure | None = None
    why_not: str = ""

    @property
    def key(self) -> str:
        """What targets call it."""
        return indicator_key(self.name, self.dimension)


@dataclass(frozen=True)
class SatisfactionIndicators:
    """The figures that have data, the last whole period, and the figures left out with the reason.

    `outside` questions were sent in no whole period: they still wait for answers, or came early.
    """

    figures: list[SatisfactionIndicator]
    last_period: datetime
    skipped: dict[str, str]
    outside: int


def indicator_key(name: str, dimension: str | None) -> str:
    """What targets call an indicator: `nps`, `dimension_delivery`."""
    return name if dimension is None else f"{name}_{dimension}"


def compute_indicators(
    company: Company, workspace: Workspace, made_of: Sources | None = None
) -> SatisfactionIndicators:
    """Every figure of `MEASURES` a company has data for, as `[insight.satisfaction]` cuts them.

    `made_of` are its rows where they have been read. Raises DataRefused without a history or a whole
    period in it, ConfigRefused for an attribute the company lacks; a figure without data is skipped
    and told.
    """
    found = made_of or sources(company, workspace)
    beside, why = read_corrected_figures(company, workspace, found.fingerprint)
    figures, skipped = [], {}
    for name, measure in MEASURES.items():
        if measure.source not in found.rows:
            skipped[name] = found.lacking[measure.source]
            continue
        unable = why.get(name, NOT_STUDIED if measure.source == "asked" else NOT_ASKED)
        refused = _refused(name, measure, found)
        skipped |= refused
        for dimension, rows in _dimensions(measure, found.rows[measure.source]):
            if rows.empty and refused:
                continue
            try:
                over_time, by = _cut(measure, rows, found)
            except DataRefused as err:
                skipped[indicator_key(name, dimension)] = str(err)
                continue
            figures.append(SatisfactionIndicator(
                name, dimension, measure, rows, over_time, by, beside.get(name),
                "" if name in beside else unable,
            ))  # fmt: skip
    return SatisfactionIndicators(figures, found.last, skipped, found.outside)


def _dimensions(measure: Measure, rows: pd.DataFrame) -> list[tuple[str | None, pd.DataFrame]]:
    """The rows a figure is about, apart by dimension where it is asked by dimension."""
    about = rows[measure.about(rows)]
    if not measure.per_dimension or about.empty:
        return [(None, about)]
    return [(str(name), part) for name, part in about.groupby("dimension", sort=True)]


def _refused(name: str, measure: Measure, found: Sources) -> dict[str, str]:
    """Why a figure, or one of its dimensions, is asked about in a way that cannot be used."""
    if measure.source != "asked":
        return {}
    mine = found.refused[measure.about(found.refused)]
    return {
        indicator_key(name, dimension if measure.per_dimension else None): why
        for dimension, why in zip(mine["dimension"], mine["why"], strict=True)
    }


def _cut(measure: Measure, rows: pd.DataFrame, found: Sources) -> tuple[Crosstab, dict[str, Crosstab]]:
    """The figure by period, and by each column within the last one where it has data there."""
    over_time = cross_tabulate(measure, rows, found.choices, ("period",))
    newest = rows[rows["period"] == found.last]
    by = {}
    for column in found.by:
        if measure.of(newest, found.choices)["value"].notna().any():
            by[column] = cross_tabulate(measure, newest, found.choices, (column,))
    return over_time, by
