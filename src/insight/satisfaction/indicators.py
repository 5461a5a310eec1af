"""Satisfaction indicators of a company: over time, by group, and corrected for non-response."""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from features.config.company import Company
from features.settings import Workspace
from insight.satisfaction.crosstabs import Crosstab, cross_tabulate
from insight.satisfaction.missing_answers import explain_no_value
from insight.satisfaction.nonresponse_adjusted import (
    NOT_ASKED,
    NOT_STUDIED,
    CorrectedFigure,
    read_corrected_figures,
)
from insight.satisfaction.satisfaction_inputs import SatisfactionInputs, read_satisfaction_inputs
from insight.satisfaction.satisfaction_metrics import SATISFACTION_METRICS, SatisfactionMetric


@dataclass(frozen=True)
class SatisfactionIndicator:
    """A metric over the whole periods of the data, and by each grouping column within its last period.

    `dimension` is set for a metric asked by dimension. `corrected` is the non-response-corrected figure
    of the last year's questions; `uncorrected_reason` says why it is missing. `rows` are the rows the
    metric applies to.
    """

    name: str
    dimension: str | None
    metric: SatisfactionMetric
    rows: pd.DataFrame
    over_time: Crosstab
    by: dict[str, Crosstab]
    corrected: CorrectedFigure | None = None
    uncorrected_reason: str = ""

    @property
    def key(self) -> str:
        """The key of the indicator in targets."""
        return indicator_key(self.name, self.dimension)


@dataclass(frozen=True)
class SatisfactionIndicators:
    """The indicators with data, the last whole period, and the indicators without data with the reason.

    `outside` questions were sent in no whole period: the period has not ended, or began before the data.
    """

    indicators: list[SatisfactionIndicator]
    last_period: datetime
    skipped: dict[str, str]
    outside: int


def indicator_key(name: str, dimension: str | None) -> str:
    """Return the key of an indicator in targets: `nps`, `dimension_delivery`."""
    return name if dimension is None else f"{name}_{dimension}"


def compute_indicators(
    company: Company, workspace: Workspace, inputs: SatisfactionInputs | None = None
) -> SatisfactionIndicators:
    """Compute every satisfaction metric that a company has data for, grouped by
    `[insight.satisfaction]`.

    `inputs` are the company's rows if they have been read. Raises DataRefused without a history or a
    whole period in it, ConfigRefused for an attribute the company lacks; a metric without data is
    skipped with the reason.
    """
    data = inputs or read_satisfaction_inputs(company, workspace)
    corrected, uncorrected = read_corrected_figures(company, workspace, data.fingerprint)
    computed, skipped = [], {}
    for name, metric in SATISFACTION_METRICS.items():
        if metric.source not in data.rows:
            skipped[name] = data.missing[metric.source]
            continue
        reason = uncorrected.get(name, NOT_STUDIED if metric.source == "asked" else NOT_ASKED)
        refused = _refused(name, metric, data)
        skipped |= refused
        for dimension, rows in _dimensions(metric, data.rows[metric.source]):
            if rows.empty and refused:
                continue
            if not metric.compute(rows, data.settings)["value"].notna().any():
                skipped[indicator_key(name, dimension)] = explain_no_value(metric, data, dimension)
                continue
            over_time, by = _tabulate(metric, rows, data)
            computed.append(SatisfactionIndicator(
                name, dimension, metric, rows, over_time, by, corrected.get(name),
                "" if name in corrected else reason,
            ))  # fmt: skip
    return SatisfactionIndicators(computed, data.last, skipped, data.outside)


def _dimensions(
    metric: SatisfactionMetric, rows: pd.DataFrame
) -> list[tuple[str | None, pd.DataFrame]]:
    """Split the rows a metric applies to by dimension if it is asked by dimension."""
    own_rows = rows[metric.applies_to(rows)]
    if not metric.per_dimension or own_rows.empty:
        return [(None, own_rows)]
    return [(str(name), part) for name, part in own_rows.groupby("dimension", sort=True)]


def _refused(name: str, metric: SatisfactionMetric, data: SatisfactionInputs) -> dict[str, str]:
    """Return why a metric, or one of its dimensions, has questions that cannot be used."""
    if metric.source != "asked":
        return {}
    own = data.refused[metric.applies_to(data.refused)]
    return {
        indicator_key(name, dimension if metric.per_dimension else None): why
        for dimension, why in zip(own["dimension"], own["why"], strict=True)
    }


def _tabulate(
    metric: SatisfactionMetric, rows: pd.DataFrame, data: SatisfactionInputs
) -> tuple[Crosstab, dict[str, Crosstab]]:
    """Compute the metric by period, and by each column with data within the last period with a value."""
    over_time = cross_tabulate(metric, rows, data.settings, ("period",))
    shown = over_time.table["period"]
    newest = rows[rows["period"] == (shown.max() if len(shown) else data.last)]
    by = {}
    for column in data.by:
        if metric.compute(newest, data.settings)["value"].notna().any():
            by[column] = cross_tabulate(metric, newest, data.settings, (column,))
    return over_time, by
