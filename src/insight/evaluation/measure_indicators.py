"""The indicators of an evaluation: over time, by group, beside what everybody would have said."""

from dataclasses import dataclass, field

import pandas as pd

from features.config.company import Company
from features.errors import DataRefused
from features.settings import Workspace
from insight.evaluation.complaint_indicators import measure_complaint_indicators
from insight.evaluation.evaluation_schema import IndicatorAlert, Indicator
from insight.evaluation.indicator_builder import build_indicator
from insight.evaluation.target_attainment import add_goals
from insight.evaluation.forecasts_and_alerts import collect_series, find_alerts, add_forecasts
from insight.satisfaction.indicators import compute_indicators
from insight.satisfaction.satisfaction_inputs import sources, with_standing


@dataclass(frozen=True)
class IndicatorResults:
    """The indicators with goals and forecasts, those without data and why, the alerts, clearest first.

    `too_young` lines of groups have too few periods to be judged. `outside` questions were sent in no
    whole period. `asked` are the questions they were made of (`insight.satisfaction.responses.asked`),
    None where nobody was asked.
    """

    compute_indicators: list[Indicator]
    not_measured: dict[str, str]
    alerts: list[IndicatorAlert]
    too_young: int
    outside: int
    asked: pd.DataFrame | None = field(default=None, repr=False)


def measure_indicators(
    company: Company, workspace: Workspace, segments: pd.DataFrame | None = None
) -> IndicatorResults:
    """Every indicator a company has data for, by channel, attribute and segment.

    `segments` has `customer_id`, `period` (the first instant from which a standing holds, in UTC) and
    one column a segmentation (tier, value, group); a row belongs to the last standing that began at or
    before its period, to "unknown" before the first. Raises DataRefused without a history or a whole
    period in it, ConfigRefused for attributes or targets nobody knows.
    """
    found = sources(company, workspace)
    if segments is not None:
        found = with_standing(found, segments)
    made = compute_indicators(company, workspace, found)
    told, lacking = [], dict(made.skipped)
    alerts: list[IndicatorAlert] = []
    young = 0
    for figure in made.figures:
        try:
            plain = build_indicator(figure, found)
        except DataRefused as err:
            lacking[figure.key] = str(err)
            continue
        lines = collect_series(figure, found)
        told.append(add_forecasts(plain, lines, found))
        heard, unheard = find_alerts(figure.name, lines, found)
        alerts, young = [*alerts, *heard], young + unheard
    handled, unhandled = measure_complaint_indicators(company, workspace, found)
    lacking |= unhandled
    every = add_goals(company, [*told, *handled], lacking)
    alerts.sort(key=lambda alert: -abs(alert.errors_off))
    return IndicatorResults(every, lacking, alerts, young, made.outside, found.rows.get("asked"))
