"""Reference scales of a company: fitted on one day, stored until its settings change."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from features.errors import DataRefused
from insight.evaluation.customer_metrics import DayMetrics
from insight.evaluation.evaluation_settings import EvaluationSettings
from insight.segments.persisted_scales import PersistedScales, read_persisted_scales
from insight.segments.star_rating import (
    StarScale,
    StarSettings,
    calibrated_star_scale,
    fit_star_scale,
)
from insight.segments.tier_thresholds import fit_thresholds
from insight.value.value_score import (
    Dimension,
    ValueScale,
    ValueSettings,
    compute_value_score,
    compute_weight_sets,
    score_dimensions,
)
from insight.value.weights import DimensionWeights

SCALES_FILE = "reference_scales.json"
#: Column of the scores file with the probability of the opposite of a star's outcome.
OPPOSITE_PROBABILITY = {
    "churn": "churn_probability", "satisfaction": "satisfaction_dissatisfied"
}  # fmt: skip


@dataclass(frozen=True)
class ReferenceScales:
    """Scales behind scores, tiers and stars, with the settings they were fitted for.

    `left_out` are metrics that no customer has, with the reason; `no_stars` is the reason for no stars.
    """

    stored: PersistedScales
    settings: ValueSettings
    left_out: dict[str, str]
    no_stars: str = ""

    def score(self, day: DayMetrics) -> pd.DataFrame:
        """Compute the dimensions and the value score with its interval, one row per known person.

        Missing for those who are no customers on that day: they have left, or nobody knows.
        """
        table = _with_all_metrics(day, self.stored.scale)
        scores = compute_value_score(table, self.stored.scale, self.settings, self.stored.weights)
        return scores.where(day.is_customer)


def read_reference_scales(
    folder: Path, settings: EvaluationSettings, today: DayMetrics
) -> ReferenceScales | None:
    """Read the stored scales; None before the first evaluation and after a change of settings.

    Raises DataRefused for a damaged file.
    """
    if not (folder / SCALES_FILE).is_file():
        return None
    stored = read_persisted_scales(folder / SCALES_FILE)
    customers = today.of_customers().metrics
    value_settings, left_out = usable_settings(settings.value, customers, settings.own_value)
    if stored.made_for != settings_digest(value_settings, settings):
        return None
    no_stars = (
        f"star ratings could not be calculated when the reference scales were fitted on "
        f"{stored.as_of:%Y-%m-%d}; fit them again with `goodwill evaluate --redraw`"
    )
    return ReferenceScales(stored, value_settings, left_out, "" if stored.stars else no_stars)


def fit_reference_scales(
    settings: EvaluationSettings, today: DayMetrics, earlier: DayMetrics | None
) -> ReferenceScales:
    """Fit the scales on today's customers; stars and learned weights on a day one horizon earlier.

    Whoever has left, or is not known to be a customer, is left out.

    Raises DataRefused for metrics that the company counts but no customer has, scores too similar for
    the tiers, and learned weights without an earlier day.
    """
    customers = today.of_customers().metrics
    value_settings, left_out = usable_settings(settings.value, customers, settings.own_value)
    scale = ValueScale.fit(customers, value_settings)
    weights = method_weights(today, value_settings, scale, earlier)[value_settings.weights]
    value = compute_value_score(customers, scale, value_settings, weights)
    stored = PersistedScales(
        today.as_of, scale, weights, fit_thresholds(value["value_score"], settings.tiers), None,
        settings_digest(value_settings, settings),
    )  # fmt: skip
    fitted = ReferenceScales(stored, value_settings, left_out)
    try:
        stars = _fit_stars(fitted, today, earlier, settings.stars)
    except DataRefused as err:
        return replace(fitted, no_stars=str(err))
    return replace(fitted, stored=replace(stored, stars=stars))


def method_weights(
    today: DayMetrics, settings: ValueSettings, scale: ValueScale, earlier: DayMetrics | None
) -> Mapping[str, DimensionWeights]:
    """Return the weights of the dimensions by every method; learned ones need an `earlier` day.

    They are learned from its dimensions and the rank of the revenue since. Raises DataRefused if the
    chosen weights are learned and cannot be.
    """
    customers = today.of_customers().metrics
    sets = compute_weight_sets(score_dimensions(customers, scale, settings), settings)
    if earlier is not None:
        try:
            outcome = today.metrics["last_period_revenue"].fillna(0.0).rank()
            then = _with_all_metrics(earlier.of_customers(), scale)
            before = score_dimensions(then, scale, settings)
            sets["learned"] = compute_weight_sets(before, settings, outcome)["learned"]
        except DataRefused:
            if settings.weights == "learned":
                raise
    elif settings.weights == "learned":
        raise DataRefused(
            'insight.value.weights is "learned", and the history is too short for an earlier day to '
            "learn from; choose given, ahp, entropy or critic"
        )
    return sets


def usable_settings(
    settings: ValueSettings, table: pd.DataFrame, own: bool
) -> tuple[ValueSettings, dict[str, str]]:
    """Return the settings without metrics that no customer has, and those metrics with the reason.

    Dimensions of the company's file (`own`) stay as they are: a missing metric is refused later. Raises
    DataRefused when no metric is left.
    """
    if own:
        return settings, {}
    wanted = [m for d in settings.dimensions.values() for m in d.measures]
    missing = [m for m in wanted if m not in table or not table[m].notna().any()]
    kept = {}
    for name, dimension in settings.dimensions.items():
        known = {m: share for m, share in dimension.measures.items() if m not in missing}
        if known:
            kept[name] = Dimension(weight=dimension.weight, measures=_normalise(known))
    if not kept:
        raise DataRefused(
            f"no customer has {', '.join(missing)}; name existing metrics in [insight.value]"
        )
    weight = _normalise({name: dimension.weight for name, dimension in kept.items()})
    whole = {n: Dimension(weight=weight[n], measures=d.measures) for n, d in kept.items()}
    reasons = dict.fromkeys(missing, "no customer has this metric")
    return settings.model_copy(update={"dimensions": whole}), reasons


def _normalise(shares: Mapping[str, float]) -> dict[str, float]:
    total = sum(shares.values())
    return {name: share / total for name, share in shares.items()}


def settings_digest(value_settings: ValueSettings, settings: EvaluationSettings) -> str:
    """Return eight hex digits that change with any setting the scales depend on.

    They also change with class and field names of the settings, which are part of their `repr`.
    """
    parts = (value_settings, settings.tiers, settings.stars, settings.definition)
    text = "|".join(map(repr, parts))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _with_all_metrics(day: DayMetrics, scale: ValueScale) -> pd.DataFrame:
    """The metrics of a day, with empty columns for those that no customer had."""
    return day.metrics.reindex(columns=[*dict.fromkeys([*day.metrics, *scale.reference])])


def star_basis(settings: StarSettings, day: DayMetrics, value: pd.DataFrame) -> pd.Series:
    """Return what stars are based on: the value score, or a calibrated probability.

    The probability is of staying a customer or of being satisfied. Raises DataRefused if no model
    predicts it.
    """
    if settings.by == "value":
        return value["value_score"]
    column = OPPOSITE_PROBABILITY[settings.by]
    if day.scores is None or column not in day.scores:
        raise DataRefused(
            f'insight.stars.by is "{settings.by}" and no model of {settings.by} serves; train it, or '
            'choose "value"'
        )
    return 1 - day.scores[column].reindex(value.index)


def _fit_stars(
    fitted: ReferenceScales, today: DayMetrics, earlier: DayMetrics | None, settings: StarSettings
) -> StarScale:
    """The scale of the stars; by value, it is fitted on earlier scores and the revenue since."""
    if settings.by != "value":
        star_basis(settings, today, today.metrics)
        return calibrated_star_scale(settings)
    if earlier is None:
        raise DataRefused(
            "the history is too short: stars are learned from scores a horizon ago and what came since"
        )
    spent = today.metrics["last_period_revenue"].reindex(earlier.metrics.index).fillna(0.0)
    outcome = (spent > median_spend(today)).astype(float)
    return fit_star_scale(fitted.score(earlier)["value_score"], outcome, settings)


def median_spend(day: DayMetrics) -> float:
    """Return the median revenue within the last horizon of the customers who bought."""
    spent = day.metrics["last_period_revenue"]
    return float(spent[spent > 0].median())
