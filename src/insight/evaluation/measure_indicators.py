"""Measure the indicators of an evaluation: over time, by group, with targets, forecasts and alerts."""

from dataclasses import dataclass, field

import pandas as pd

from features.config.company import Company
from features.errors import DataRefused
from features.settings import Workspace
from insight.evaluation.change_verdicts import (
    IndicatorLine,
    company_line,
    group_lines,
    judge_changes,
    list_alerts,
    with_verdict,
)
from insight.evaluation.complaint_indicators import measure_complaint_indicators
from insight.evaluation.indicator_builder import build_indicator
from insight.evaluation.indicator_forecasts import add_forecasts, collect_series
from insight.evaluation.indicator_schema import Indicator, IndicatorAlert
from insight.evaluation.target_attainment import add_goals
from insight.satisfaction.indicators import compute_indicators
from insight.satisfaction.satisfaction_inputs import join_status, read_satisfaction_inputs


@dataclass(frozen=True)
class IndicatorResults:
    """Indicators with goals and forecasts, those without data with the reason, and the alerts.

    Alerts of the whole company come first, then the clearest. `too_young` series are too short to be
    watched. `outside` questions were sent in no whole period. `asked` are the questions behind the
    indicators, None where there are none; `no_questions` says why questions are missing.
    """

    indicators: list[Indicator]
    not_measured: dict[str, str]
    alerts: list[IndicatorAlert]
    too_young: int
    outside: int
    asked: pd.DataFrame | None = field(default=None, repr=False)
    no_questions: str = ""


def measure_indicators(
    company: Company, workspace: Workspace, segments: pd.DataFrame | None = None
) -> IndicatorResults:
    """Measure every indicator that a company has data for, by channel, attribute and segment.

    `segments` has `customer_id`, `period` (the instant from which a status holds, in UTC) and one
    column for each segmentation (tier, stage). A row gets the last status that began at or before its
    period, "unknown" before the first. Raises DataRefused without a history or a whole period in it,
    ConfigRefused for unknown attributes or targets.
    """
    inputs = read_satisfaction_inputs(company, workspace)
    if segments is not None:
        inputs = join_status(inputs, segments)
    computed = compute_indicators(company, workspace, inputs)
    measured, missing = [], dict(computed.skipped)
    of_groups: list[IndicatorLine] = []
    for tables in computed.indicators:
        try:
            indicator = build_indicator(tables, inputs)
        except DataRefused as err:
            missing[tables.key] = str(err)
            continue
        series = collect_series(tables, inputs)
        measured.append(add_forecasts(indicator, series, inputs))
        of_groups += group_lines(indicator, series)
    of_complaints, not_measured = measure_complaint_indicators(company, workspace, inputs)
    missing |= not_measured
    measured += of_complaints
    lines = [*(company_line(indicator) for indicator in measured), *of_groups]
    verdicts = judge_changes(lines, inputs)
    judged = [with_verdict(*pair) for pair in zip(measured, verdicts, strict=False)]
    return IndicatorResults(
        add_goals(company, judged, missing), missing, list_alerts(lines, verdicts, inputs),
        sum(verdict.kind == "unwatched" for verdict in verdicts), computed.outside,
        inputs.rows.get("asked"),
        inputs.missing.get("asked") or "; ".join(inputs.refused["why"]),
    )  # fmt: skip
