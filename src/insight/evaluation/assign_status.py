"""Where every customer stands today: the score by kept yardsticks, tiers moved on, stars, stage."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pandas as pd

from features.errors import DataRefused
from features.history_store import Manifest
from insight.evaluation.customer_metrics import DayMetrics, MetricCalculator
from insight.evaluation.evaluation_files import evaluation_folder
from insight.evaluation.evaluation_settings import EvaluationSettings
from insight.evaluation.reference_scales import (
    SCALES_FILE,
    ReferenceScales,
    fit_reference_scales,
    read_reference_scales,
    star_basis,
)
from insight.evaluation.tier_history import (
    TierMonth,
    add_since,
    assign_tiers,
    earlier_days,
    keep_since,
    read_months,
    rebuild_months,
)
from insight.segments.lifecycle_stages import assign_stages
from insight.segments.quadrant import QuadrantSettings, assign_quadrants
from insight.segments.status_row import build_status_rows
from insight.value.fuzzy_grades import Grades, assign_fuzzy_grades

MONTHS = "months"
#: So much must be known before a day for its figures to mean something.
SETTLED = timedelta(days=90)


@dataclass(frozen=True)
class StatusAssignment:
    """Everybody's standing on one day with all it was made of.

    `table` is the standing, a row a customer; `months` those kept, this one last; `skipped` the parts
    that were not to be told, with the reason.
    """

    today: DayMetrics
    table: pd.DataFrame
    yardsticks: ReferenceScales
    months: list[TierMonth]
    skipped: dict[str, str]

    def fuzzy_grades(self, grades: Grades) -> pd.DataFrame:
        """Every customer's grade by fuzzy evaluation of his score's dimensions; is it clear?"""
        found = assign_fuzzy_grades(self.months[-1].table, self.yardsticks.kept.weights, grades)
        return pd.DataFrame({"fuzzy_grade": found.grade, "fuzzy_unclear": found.unclear})


def assign_status(
    measurer: MetricCalculator, scores: pd.DataFrame | None, versions: dict[str, str], redraw: bool = False
) -> StatusAssignment:
    """Place every customer as of the end of the data, and keep the month for the next one.

    `scores` are the predictions of that day by customer, None where nobody is scored. The first time,
    after other settings, and to `redraw`, yardsticks are drawn and the months before worked out with
    today's models. Raises DataRefused where no value can be told.
    """
    manifest = Manifest.read(measurer.workspace, measurer.company.name)
    folder = evaluation_folder(measurer.workspace, measurer.company.name)
    today = measurer.on(manifest.end, scores)
    found = None if redraw else read_reference_scales(folder, measurer.choices, today)
    yardsticks = found or fit_reference_scales(measurer.choices, today, _horizon_ago(measurer, manifest))
    kept = read_months(folder / MONTHS) if found else []
    now = _month(measurer, yardsticks, today, versions)
    months = _told(measurer, manifest, yardsticks, [m for m in kept if m.as_of <= today.as_of], now)
    unknown = measurer.rated_in_vain(today.measured.index)
    skipped = {"ratings of unknown customers": unknown} if unknown else {}
    table = _standing(measurer, yardsticks, months, today, skipped)
    _keep(folder, yardsticks, months)
    return StatusAssignment(today, table, yardsticks, months, skipped)


def _horizon_ago(measurer: MetricCalculator, manifest: Manifest) -> DayMetrics | None:
    """The customers a horizon before the end of the data; None where too little is known of them.

    A month that is worked out anyway will do if it lies within a tenth of the horizon.
    """
    exact = manifest.end - timedelta(days=measurer.horizon_days)
    if exact < manifest.start + SETTLED:
        return None
    near = timedelta(days=measurer.horizon_days / 10)
    months = earlier_days(manifest.end, manifest.start + SETTLED)
    return measurer.then(next((day for day in months if abs(day - exact) <= near), exact))


def _told(
    measurer: MetricCalculator, manifest: Manifest, yardsticks: ReferenceScales, kept: list[TierMonth], now: TierMonth
) -> list[TierMonth]:
    """The months with everybody's tiers, this one last: moved on, or told for the first time."""
    borders = yardsticks.kept.borders
    if kept:
        told = assign_tiers(kept[-1], now, borders)
        if kept[-1].name == now.name:
            told = keep_since(kept[-1], told)
        return add_since([*(m for m in kept if m.name != now.name), told])
    today = assign_tiers(None, now, borders)
    past = [
        _month(measurer, yardsticks, measurer.then(day), now.versions, rebuilt=True)
        for day in earlier_days(manifest.end, manifest.start + SETTLED)
    ]
    return add_since([*rebuild_months(today, past, borders), today])


def _month(
    measurer: MetricCalculator,
    yardsticks: ReferenceScales,
    day: DayMetrics,
    versions: dict[str, str],
    rebuilt: bool = False,
) -> TierMonth:
    """The score, its dimensions and the stage of everybody on a day; tiers are still to be told."""
    value = yardsticks.score(day)
    leaving = None if day.scores is None else day.scores.get("churn_probability")
    history = measurer.workspace.history(measurer.company.name)
    stage = assign_stages(history, day.as_of, measurer.choices.lifecycle, leaving)
    return TierMonth(day.as_of, value.join(stage), versions, rebuilt)


def _standing(
    measurer: MetricCalculator, yardsticks: ReferenceScales, months: list[TierMonth], today: DayMetrics,
    skipped: dict[str, str],
) -> pd.DataFrame:  # fmt: skip
    """The standing of everybody, with the tier before and why it changed left to the moves."""
    now, kept = months[-1].table, yardsticks.kept
    if yardsticks.no_stars:
        skipped["stars"] = yardsticks.no_stars
    fields = None
    try:
        settings = _measured(measurer.choices, today.measured)
        fields = assign_quadrants(today.measured, settings)
    except DataRefused as err:
        skipped["quadrants"] = str(err)
    by = star_basis(measurer.choices.stars, today, now) if kept.stars else now["value_score"]
    table = build_status_rows(
        by, months[-1].placed, kept.stars, now[["stage", "cause"]], fields,
        measurer.choices.tiers,
    )  # fmt: skip
    scores = now[["value_score", "value_score_low", "value_score_high"]]
    return scores.join(table).assign(tier_since=now["since"]).rename_axis("customer_id")


def _measured(choices: EvaluationSettings, table: pd.DataFrame) -> QuadrantSettings:
    """The quadrant's settings without risks nobody has, unless the company named them itself."""
    settings = choices.quadrant
    if choices.own_risks:
        return settings
    there = {n: at for n, at in settings.risks.items() if n in table and table[n].notna().any()}
    if not there or settings.potential not in table:
        raise DataRefused(
            f"neither {' nor '.join([settings.potential, *settings.risks])} can be told of anybody; "
            "potential and risk are set against each other under [insight.quadrant]"
        )
    return settings.model_copy(update={"risks": there})


def _keep(folder: Path, yardsticks: ReferenceScales, months: list[TierMonth]) -> None:
    """Keep the yardsticks and the months; months of former yardsticks go."""
    folder.mkdir(parents=True, exist_ok=True)
    names = {month.name for month in months}
    for old in (folder / MONTHS).glob("*.parquet"):
        if old.stem not in names:
            old.unlink()
    for month in months:
        month.write(folder / MONTHS)
    yardsticks.kept.write(folder / SCALES_FILE)
