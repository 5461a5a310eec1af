"""Assign every customer's status: value score, tier, stars, stage, quadrant."""

from dataclasses import dataclass, field
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
    earlier_dates,
    keep_since,
    read_months,
    rebuild_months,
)
from insight.segments.lifecycle_stages import assign_stages
from insight.segments.quadrant import QuadrantSettings, assign_quadrants
from insight.segments.status_row import build_status_rows
from insight.value.expert_ratings import ItemAgreement
from insight.value.fuzzy_grades import Grades, assign_fuzzy_grades

MONTHS = "months"
#: Shortest history before a date for which metrics are meaningful.
MIN_HISTORY = timedelta(days=90)


@dataclass(frozen=True)
class StatusAssignment:
    """Status of all customers on one day, with the data behind it.

    `table` has one row per customer; `months` are the stored months, this one last; `skipped` the parts
    that could not be assigned, with the reason; `agreement` is that of the expert raters.
    """

    today: DayMetrics
    table: pd.DataFrame
    scales: ReferenceScales
    months: list[TierMonth]
    skipped: dict[str, str]
    agreement: list[ItemAgreement] = field(default_factory=list)

    def fuzzy_grades(self, grades: Grades) -> pd.DataFrame:
        """Grade every customer by fuzzy evaluation of the score's dimensions, with a flag if unclear."""
        found = assign_fuzzy_grades(self.months[-1].table, self.scales.stored.weights, grades)
        return pd.DataFrame({"fuzzy_grade": found.grade, "fuzzy_unclear": found.unclear})


def assign_status(
    calculator: MetricCalculator,
    scores: pd.DataFrame | None,
    versions: dict[str, str],
    redraw: bool = False,
) -> StatusAssignment:
    """Assign every customer's status as of the end of the data, and store the month for the next one.

    `scores` are that day's predictions by customer, None before the first scoring. The first time, after
    a change of settings, and with `redraw`, the reference scales are fitted and earlier months rebuilt
    with today's models. Raises DataRefused where no value score can be computed.
    """
    manifest = Manifest.read(calculator.workspace, calculator.company.name)
    folder = evaluation_folder(calculator.workspace, calculator.company.name)
    today = calculator.on(manifest.end, scores)
    found = None if redraw else read_reference_scales(folder, calculator.settings, today)
    scales = found or fit_reference_scales(
        calculator.settings, today, _one_horizon_ago(calculator, manifest)
    )
    stored = read_months(folder / MONTHS) if found else []
    now = _month(calculator, scales, today, versions)
    usable = [month for month in stored if month.as_of <= today.as_of]
    months = _months_with_tiers(calculator, manifest, scales, usable, now)
    unknown = calculator.unknown_rated(today.metrics.index)
    skipped = {"ratings of unknown customers": unknown} if unknown else {}
    table = _status_table(calculator.settings, scales, months, today, skipped)
    _write(folder, scales, months)
    return StatusAssignment(today, table, scales, months, skipped, calculator.agreement)


def _one_horizon_ago(calculator: MetricCalculator, manifest: Manifest) -> DayMetrics | None:
    """The customers one horizon before the end of the data; None where the history is too short.

    A month that is rebuilt anyway is used if it is within a tenth of the horizon.
    """
    exact = manifest.end - timedelta(days=calculator.horizon_days)
    if exact < manifest.start + MIN_HISTORY:
        return None
    tolerance = timedelta(days=calculator.horizon_days / 10)
    dates = earlier_dates(manifest.end, manifest.start + MIN_HISTORY)
    near = (date for date in dates if abs(date - exact) <= tolerance)
    return calculator.before(next(near, exact))


def _months_with_tiers(
    calculator: MetricCalculator,
    manifest: Manifest,
    scales: ReferenceScales,
    stored: list[TierMonth],
    now: TierMonth,
) -> list[TierMonth]:
    """The months with tiers, this one last: based on the stored months, or rebuilt."""
    thresholds = scales.stored.thresholds
    if stored:
        month = assign_tiers(stored[-1], now, thresholds)
        if stored[-1].name == now.name:
            month = keep_since(stored[-1], month)
        return add_since([*(m for m in stored if m.name != now.name), month])
    today = assign_tiers(None, now, thresholds)
    past = [
        _month(calculator, scales, calculator.before(date), now.versions, rebuilt=True)
        for date in earlier_dates(manifest.end, manifest.start + MIN_HISTORY)
    ]
    return add_since([*rebuild_months(today, past, thresholds), today])


def _month(
    calculator: MetricCalculator,
    scales: ReferenceScales,
    day: DayMetrics,
    versions: dict[str, str],
    rebuilt: bool = False,
) -> TierMonth:
    """The score, its dimensions and the stage of everybody known on a day, without tiers."""
    value = scales.score(day)
    churn = None if day.scores is None else day.scores.get("churn_probability")
    history = calculator.workspace.history(calculator.company.name)
    settings = calculator.settings
    stage = assign_stages(history, day.as_of, settings.lifecycle, settings.definition, churn)
    zone = calculator.company.info.time_zone
    return TierMonth(day.as_of, value.join(stage), versions, rebuilt, zone)


def _status_table(
    settings: EvaluationSettings,
    scales: ReferenceScales,
    months: list[TierMonth],
    today: DayMetrics,
    skipped: dict[str, str],
) -> pd.DataFrame:
    """The status of everybody known, without the tier before and the cause of a change.

    Whoever is no customer has a stage, and no score, tier, stars, quadrant or service level.
    """
    now, stored = months[-1].table, scales.stored
    if scales.no_stars:
        skipped["stars"] = scales.no_stars
    quadrants = None
    try:
        customers = today.of_customers().metrics
        quadrants = assign_quadrants(customers, _quadrant_settings(settings, customers))
    except DataRefused as err:
        skipped["quadrants"] = str(err)
    basis = star_basis(settings.stars, today, now) if stored.stars else now["value_score"]
    basis = basis.where(today.is_customer.reindex(basis.index))
    table = build_status_rows(
        basis, months[-1].placed, stored.stars, now[["stage", "cause"]], quadrants, settings.tiers
    )
    scores = now[["value_score", "value_score_low", "value_score_high"]]
    return scores.join(table).assign(tier_since=now["since"]).rename_axis("customer_id")


def _quadrant_settings(settings: EvaluationSettings, table: pd.DataFrame) -> QuadrantSettings:
    """The quadrant's settings without risks that no customer has, unless the company chose them."""
    quadrant = settings.quadrant
    if settings.own_risks:
        return quadrant
    known = {n: at for n, at in quadrant.risks.items() if n in table and table[n].notna().any()}
    if not known or quadrant.potential not in table:
        raise DataRefused(
            f"no customer has {' or '.join([quadrant.potential, *quadrant.risks])}; "
            "potential and risk are configured under [insight.quadrant]"
        )
    return quadrant.model_copy(update={"risks": known})


def _write(folder: Path, scales: ReferenceScales, months: list[TierMonth]) -> None:
    """Write the scales and the months; delete months that are based on other scales."""
    folder.mkdir(parents=True, exist_ok=True)
    names = {month.name for month in months}
    for old in (folder / MONTHS).glob("*.parquet"):
        if old.stem not in names:
            old.unlink()
    for month in months:
        month.write(folder / MONTHS)
    scales.stored.write(folder / SCALES_FILE)
