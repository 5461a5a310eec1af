"""The yardsticks of a company: drawn on one day, kept until its settings change."""

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

SCALES_FILE = "yardsticks.json"
#: Columns of the scores file that say how likely the contrary of a star's chance is.
CHANCES = {"churn": "churn_probability", "satisfaction": "satisfaction_dissatisfied"}


@dataclass(frozen=True)
class ReferenceScales:
    """What scores, tiers and stars are told by, with the settings they were drawn for.

    `left_out` are measures nobody has, with the reason; `no_stars` why there are none.
    """

    kept: PersistedScales
    settings: ValueSettings
    left_out: dict[str, str]
    no_stars: str = ""

    def score(self, day: DayMetrics) -> pd.DataFrame:
        """The dimensions and the value score with its interval, a row a customer of the day."""
        table = _with(day, self.kept.scale)
        return compute_value_score(table, self.kept.scale, self.settings, self.kept.weights)


def read_reference_scales(folder: Path, choices: EvaluationSettings, today: DayMetrics) -> ReferenceScales | None:
    """The yardsticks in use; None before the first time and for other settings.

    Raises DataRefused for a damaged file.
    """
    if not (folder / SCALES_FILE).is_file():
        return None
    kept = read_persisted_scales(folder / SCALES_FILE)
    settings, left_out = usable_settings(choices.value, today.measured, choices.own_value)
    if kept.made_for != _digest(settings, choices):
        return None
    lacking = (
        f"none could be told when the yardsticks were drawn, {kept.as_of:%Y-%m-%d}; draw them anew "
        "with `goodwill evaluate --redraw`"
    )
    return ReferenceScales(kept, settings, left_out, "" if kept.stars else lacking)


def fit_reference_scales(choices: EvaluationSettings, today: DayMetrics, then: DayMetrics | None) -> ReferenceScales:
    """Draw yardsticks on the customers of today; stars and learned weights from a horizon ago.

    Raises DataRefused for measures that nobody has but the company counts, figures too alike for the
    tiers, and weights to be learned without an earlier day.
    """
    settings, left_out = usable_settings(choices.value, today.measured, choices.own_value)
    scale = ValueScale.fit(today.measured, settings)
    weights = method_weights(today, settings, scale, then)[settings.weights]
    value = compute_value_score(today.measured, scale, settings, weights)
    kept = PersistedScales(
        today.as_of, scale, weights, fit_thresholds(value["value_score"], choices.tiers), None,
        _digest(settings, choices),
    )  # fmt: skip
    drawn = ReferenceScales(kept, settings, left_out)
    try:
        stars = _stars(drawn, today, then, choices.stars)
    except DataRefused as err:
        return replace(drawn, no_stars=str(err))
    return replace(drawn, kept=replace(kept, stars=stars))


def method_weights(
    today: DayMetrics, settings: ValueSettings, scale: ValueScale, then: DayMetrics | None
) -> Mapping[str, DimensionWeights]:
    """The weights of the dimensions by every method; learned ones with an earlier day `then`.

    They are learned from its dimensions and the revenue that came since, in ranks. Raises DataRefused
    when the weights chosen are learned and cannot be.
    """
    sets = compute_weight_sets(score_dimensions(today.measured, scale, settings), settings)
    if then is not None:
        try:
            outcome = today.measured["last_period_revenue"].fillna(0.0).rank()
            before = score_dimensions(_with(then, scale), scale, settings)
            sets["learned"] = compute_weight_sets(before, settings, outcome)["learned"]
        except DataRefused:
            if settings.weights == "learned":
                raise
    elif settings.weights == "learned":
        raise DataRefused(
            'insight.value.weights is "learned", and the history is too short to hold an earlier day '
            "against today; choose given, ahp, entropy or critic"
        )
    return sets


def usable_settings(
    settings: ValueSettings, table: pd.DataFrame, own: bool
) -> tuple[ValueSettings, dict[str, str]]:
    """The settings without measures that nobody has, and those left out with the reason.

    Dimensions the company named itself (`own`) stay as they are: what they lack is refused later.
    Raises DataRefused when nothing is left.
    """
    if own:
        return settings, {}
    wanted = [m for d in settings.dimensions.values() for m in d.measures]
    lacking = [m for m in wanted if m not in table or not table[m].notna().any()]
    kept = {}
    for name, dimension in settings.dimensions.items():
        there = {m: share for m, share in dimension.measures.items() if m not in lacking}
        if there:
            kept[name] = Dimension(weight=dimension.weight, measures=_to_one(there))
    if not kept:
        raise DataRefused(
            f"nobody has any of {', '.join(lacking)}; name measures there are in [insight.value]"
        )
    weight = _to_one({name: dimension.weight for name, dimension in kept.items()})
    whole = {n: Dimension(weight=weight[n], measures=d.measures) for n, d in kept.items()}
    return settings.model_copy(update={"dimensions": whole}), dict.fromkeys(
        lacking, "nobody has it"
    )


def _to_one(shares: Mapping[str, float]) -> dict[str, float]:
    total = sum(shares.values())
    return {name: share / total for name, share in shares.items()}


def _digest(settings: ValueSettings, choices: EvaluationSettings) -> str:
    """Eight letters that change with any setting the yardsticks depend on."""
    text = "|".join(map(repr, (settings, choices.tiers, choices.stars)))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _with(day: DayMetrics, scale: ValueScale) -> pd.DataFrame:
    """The measures of a day, those nobody had then included."""
    return day.measured.reindex(columns=[*dict.fromkeys([*day.measured, *scale.reference])])


def star_basis(settings: StarSettings, day: DayMetrics, value: pd.DataFrame) -> pd.Series:
    """What stars are given by: the value score, or the calibrated chance of staying or being content.

    Raises DataRefused for a chance that no model predicts.
    """
    if settings.by == "value":
        return value["value_score"]
    column = CHANCES[settings.by]
    if day.scores is None or column not in day.scores:
        raise DataRefused(
            f'insight.stars.by is "{settings.by}" and no model of {settings.by} serves; train it, or '
            'choose "value"'
        )
    return 1 - day.scores[column].reindex(value.index)


def _stars(drawn: ReferenceScales, today: DayMetrics, then: DayMetrics | None, settings: StarSettings) -> StarScale:
    """The scale of the stars; of value learned from scores a horizon ago and what came since."""
    if settings.by != "value":
        star_basis(settings, today, today.measured)
        return calibrated_star_scale(settings)
    if then is None:
        raise DataRefused(
            "the history is too short: stars are learned from scores a horizon ago and what came since"
        )
    spent = today.measured["last_period_revenue"].reindex(then.measured.index).fillna(0.0)
    came = (spent > median_spend(today)).astype(float)
    return fit_star_scale(drawn.score(then)["value_score"], came, settings)


def median_spend(day: DayMetrics) -> float:
    """What the median of those brought who bought within the last horizon."""
    spent = day.measured["last_period_revenue"]
    return float(spent[spent > 0].median())
