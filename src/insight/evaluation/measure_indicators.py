"""The indicators of an evaluation: over time, by group, beside what everybody would have said."""

from dataclasses import dataclass, field

import pandas as pd

from features.config.company import Company
from features.errors import DataRefused
from features.settings import Workspace
from insight.evaluation.complaint_indicators import tell_handling
from insight.evaluation.evaluation_schema import Alert, Indicator
from insight.evaluation.indicator_results import tell_figure
from insight.evaluation.target_attainment import with_goals
from insight.evaluation.trends_and_alerts import lines_of, tell_alerts, with_forecasts
from insight.satisfaction.indicators import indicators
from insight.satisfaction.satisfaction_inputs import sources, with_standing


@dataclass(frozen=True)
class ToldIndicators:
    """The indicators with goals and forecasts, those without data and why, the alerts, clearest first.

    `too_young` lines of groups have too few periods to be judged. `outside` questions were sent in no
    whole period. `asked` are the questions they were made of (`insight.satisfaction.responses.asked`),
    None where nobody was asked.
    """

    indicators: list[Indicator]
    not_measured: dict[str, str]
    alerts: list[Alert]
    too_young: int
    outside: int
    asked: pd.DataFrame | None = field(default=None, repr=False)


def tell_indicators(
    company: Company, workspace: Workspace, segments: pd.DataFrame | None = None
) -> ToldIndicators:
    """Every indicator a company has data for, by channel, attribute and segment.

    `segments` has `customer_id`, `period` (the first instant from which a standing holds, in UTC) and
    one column a segmentation (tier, value, group); a row belongs to the last standing that began at or
    before its period, to "unknown" before the first. Raises DataRefused without a history or a whole
    period in it, ConfigRefused for attributes or targets nobody knows.
    """
    found = sources(company, workspace)
    if segments is not None:
        found = with_standing(found, segments)
    made = indicators(company, workspace, found)
    told, lacking = [], dict(made.skipped)
    alerts: list[Alert] = []
    young = 0
    for figure in made.figures:
        try:
            plain = tell_figure(figure, found)
        except DataRefused as err:
            lacking[figure.key] = str(err)
            continue
        lines = lines_of(figure, found)
        told.append(with_forecasts(plain, lines, found))
        heard, unheard = tell_alerts(figure.name, lines, found)
        alerts, young = [*alerts, *heard], young + unheard
    handled, unhandled = tell_handling(company, workspace, found)
    lacking |= unhandled
    every = with_goals(company, [*told, *handled], lacking)
    alerts.sort(key=lambda alert: -abs(alert.errors_off))
    return ToldIndicators(every, lacking, alerts, young, made.outside, found.rows.get("asked"))
