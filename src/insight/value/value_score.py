"""The value score: metrics combined into dimensions and one score of 0-100, as configured."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from features.config.toml_section import TomlSection
from features.errors import ConfigRefused, DataRefused
from insight.value.ahp import AhpSettings, ahp_weights
from insight.value.customer_accounts import Margins
from insight.value.expert_ratings import Experts
from insight.value.fuzzy_grades import Grades
from insight.value.objective_weights import critic_weights, entropy_weights, learned_weights
from insight.value.value_metrics import VALUE_METRICS, check_metrics
from insight.value.weights import DimensionWeights, normalise_weights

Floats = NDArray[np.float64]


class Dimension(TomlSection):
    """`[insight.value.dimensions.NAME]`: its weight, and the shares of the metrics in it."""

    weight: float
    measures: dict[str, float]


DEFAULT_DIMENSIONS = {
    "purchasing_power": Dimension(weight=0.3, measures={"revenue": 1.0}),
    "satisfaction": Dimension(weight=0.15, measures={"satisfaction_score": 1.0}),
    "loyalty": Dimension(weight=0.2, measures={"active_months": 0.5, "days_since_order": 0.5}),
    "contribution": Dimension(
        weight=0.25,
        measures={"margin": 0.4, "return_share": 0.2, "overdue_probability": 0.2,
                  "days_sales_outstanding": 0.1, "in_transit": 0.1},
    ),
    "growth": Dimension(weight=0.1, measures={"growth": 1.0}),
}  # fmt: skip


class ValueSettings(TomlSection):
    """`[insight.value]`: the dimensions of customer value, and the source of their weights.

    `weights` selects the source: `given` with the dimensions, the raters (`ahp`), the data (`entropy`,
    `critic`) or an outcome (`learned`). A customer with less than `least_known` of the weight measured
    gets no score.
    """

    weights: Literal["given", "ahp", "entropy", "critic", "learned"] = "given"
    least_known: float = Field(default=0.5, gt=0, le=1)
    dimensions: dict[str, Dimension] = Field(default_factory=lambda: dict(DEFAULT_DIMENSIONS))
    margins: Margins = Margins()
    ahp: AhpSettings | None = None
    experts: Experts | None = None
    grades: Grades = Grades()


@dataclass(frozen=True)
class ValueScale:
    """The sorted metrics of a reference day, against which customers are ranked from then on.

    It stays the same from month to month, so that a customer's score changes only if they do.
    """

    reference: dict[str, Floats]

    @classmethod
    def fit(cls, table: pd.DataFrame, settings: ValueSettings) -> "ValueScale":
        """Fit the scale to one day.

        Raises DataRefused for a metric that no customer has, ConfigRefused for invalid weights.
        """
        wanted = check_value_settings(settings)
        empty = [m for m in wanted if m not in table or table[m].notna().sum() == 0]
        if empty:
            have = [m for m in VALUE_METRICS if m in table and table[m].notna().any()]
            raise DataRefused(
                f"no customer has {', '.join(empty)}, which [insight.value] counts; take it out or map "
                f"its source. Measured here: {', '.join(have)}"
            )
        return cls({m: np.sort(table[m].dropna().to_numpy(float)) for m in wanted})

    def points(self, metric: str, values: pd.Series) -> Floats:
        """Return the percentile rank of each value in the reference, 0-100; ties count half."""
        reference, x = self.reference[metric], values.to_numpy(float)
        below = np.searchsorted(reference, x, side="left")
        upto = np.searchsorted(reference, x, side="right")
        rank = 50 * (below + upto) / len(reference)
        rank = rank if VALUE_METRICS[metric].more_is_better else 100 - rank
        return np.where(np.isnan(x), np.nan, rank)


def check_value_settings(settings: ValueSettings) -> list[str]:
    """Return the metrics that the settings use, once each.

    Raises ConfigRefused for weights that do not sum to 1 and unknown metrics.
    """
    normalise_weights(
        {n: d.weight for n, d in settings.dimensions.items()}, "weights of insight.value.dimensions"
    )
    wanted: dict[str, None] = {}
    for name, dimension in settings.dimensions.items():
        key = f"insight.value.dimensions.{name}.measures"
        check_metrics(key, list(dimension.measures))
        normalise_weights(dimension.measures, key)
        wanted.update(dict.fromkeys(dimension.measures))
    if settings.weights == "ahp" and settings.ahp is None:
        raise ConfigRefused(
            'insight.value.weights is "ahp"; give the judgements in [insight.value.ahp]'
        )
    if settings.ahp and set(settings.ahp.items) != set(settings.dimensions):
        raise ConfigRefused(
            f"insight.value.ahp compares {', '.join(settings.ahp.items)}; it should compare the "
            f"dimensions, {', '.join(settings.dimensions)}"
        )
    return list(wanted)


def score_dimensions(
    table: pd.DataFrame, scale: ValueScale, settings: ValueSettings
) -> pd.DataFrame:
    """Return each dimension, 0-100: the weighted mean of its known metrics, NaN without any."""
    found = {}
    for name, dimension in settings.dimensions.items():
        points = {m: scale.points(m, table[m]) for m in dimension.measures}
        found[name] = _mean(
            pd.DataFrame(points, index=table.index), normalise_weights(dimension.measures)
        )[0]
    return pd.DataFrame(found, index=table.index)


def compute_weight_sets(
    table: pd.DataFrame, settings: ValueSettings, outcome: pd.Series | None = None
) -> dict[str, DimensionWeights]:
    """Compute the weights of the dimensions by every applicable method.

    Weights from the data that cannot be estimated raise DataRefused only if they are the configured
    ones.
    """
    sets = {"given": normalise_weights({n: d.weight for n, d in settings.dimensions.items()})}
    for name, estimate in (("entropy", entropy_weights), ("critic", critic_weights)):
        try:
            sets[name] = estimate(table)
        except DataRefused:
            if settings.weights == name:
                raise
    if settings.ahp is not None:
        sets["ahp"] = ahp_weights(settings.ahp)
    if outcome is not None:
        sets["learned"] = learned_weights(table, outcome)
    return sets


def compute_value_score(
    table: pd.DataFrame,
    scale: ValueScale,
    settings: ValueSettings,
    weights: DimensionWeights | None = None,
) -> pd.DataFrame:
    """Compute the dimensions, and `value_score` 0-100 with `value_score_low` and `value_score_high`.

    `weights` are those fitted on the reference day; given and AHP weights need not be passed. Bounds of
    metrics are propagated as if independent; metrics without bounds count as exact. `known_weight` is
    the share of weight that is known, over which the score is a mean.
    """
    weights = weights or _fixed_weights(settings)
    dims = score_dimensions(table, scale, settings)
    score, known = _mean(dims, weights)
    low, high = _propagate_bounds(table, scale, settings, weights)
    enough = known >= settings.least_known - 1e-9
    return dims.assign(
        value_score=score.where(enough),
        value_score_low=(score - low / known).clip(lower=0).where(enough),
        value_score_high=(score + high / known).clip(upper=100).where(enough),
        known_weight=known,
    )


def _fixed_weights(settings: ValueSettings) -> DimensionWeights:
    """Return the weights if they do not depend on the day."""
    if settings.weights == "ahp" and settings.ahp is not None:
        return ahp_weights(settings.ahp)
    if settings.weights != "given":
        raise ConfigRefused(
            f'insight.value.weights is "{settings.weights}", which is estimated from the data: pass the '
            "weights of the reference day (weight_sets), or scores of two days cannot be compared"
        )
    return normalise_weights({n: d.weight for n, d in settings.dimensions.items()})


def _mean(points: pd.DataFrame, weights: DimensionWeights) -> tuple[pd.Series, pd.Series]:
    """Return the weighted mean of the known points, and the share of weight that is known."""
    share = np.array([weights.share[str(c)] for c in points.columns])
    known = pd.Series(points.notna().to_numpy() @ share, index=points.index)
    total = pd.Series(points.fillna(0).to_numpy(float) @ share, index=points.index)
    return (total / known).where(known > 0), known


def _propagate_bounds(
    table: pd.DataFrame, scale: ValueScale, settings: ValueSettings, weights: DimensionWeights
) -> tuple[pd.Series, pd.Series]:
    """Return how far the metrics' bounds lower and raise the score (root of the sum of squares)."""
    down, up = (pd.Series(0.0, index=table.index) for _ in range(2))
    for name, dimension in settings.dimensions.items():
        for metric, part in normalise_weights(dimension.measures).share.items():
            definition = VALUE_METRICS[metric]
            if definition.low not in table or definition.high not in table:
                continue
            ends = np.array(
                [scale.points(metric, table[c]) for c in (definition.low, definition.high)]
            )
            middle, share = scale.points(metric, table[metric]), weights.share[name] * part
            down += np.nan_to_num(share * np.clip(middle - ends.min(axis=0), 0, None)) ** 2
            up += np.nan_to_num(share * np.clip(ends.max(axis=0) - middle, 0, None)) ** 2
    return down.pow(0.5), up.pow(0.5)
