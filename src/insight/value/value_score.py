"""The value score: measures to dimensions to one figure of 0-100, as a company's file says."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from features.config.table_mapping import Strict
from features.errors import ConfigRefused, DataRefused
from insight.value.ahp import Judged, ahp_weights
from insight.value.customer_accounts import Margins
from insight.value.expert_ratings import Experts
from insight.value.fuzzy_grades import Grades
from insight.value.objective_weights import critic_weights, entropy_weights, learned_weights
from insight.value.value_metrics import MEASURES, check_measures
from insight.value.weights import Weights, given

Floats = NDArray[np.float64]


class Dimension(Strict):
    """`[insight.value.dimensions.NAME]`: its weight, and the shares of the measures it is made of."""

    weight: float
    measures: dict[str, float]


DEFAULT = {
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


class ValueSettings(Strict):
    """`[insight.value]`: the dimensions of a customer's value, and who says what they weigh.

    `weights` says whose weights count: those `given` with the dimensions, of the raters (`ahp`), of the
    data (`entropy`, `critic`) or of an outcome (`learned`). A customer of whom less than
    `least_known` of the weight can be measured gets no score.
    """

    weights: Literal["given", "ahp", "entropy", "critic", "learned"] = "given"
    least_known: float = Field(default=0.5, gt=0, le=1)
    dimensions: dict[str, Dimension] = Field(default_factory=lambda: dict(DEFAULT))
    margins: Margins = Margins()
    ahp: Judged | None = None
    experts: Experts | None = None
    grades: Grades = Grades()


@dataclass(frozen=True)
class Scale:
    """The measures of a reference day, sorted: what a customer is compared with from then on.

    It stays the same from month to month, so that a customer's score changes because he did.
    """

    reference: dict[str, Floats]

    @classmethod
    def fit(cls, table: pd.DataFrame, settings: ValueSettings) -> "Scale":
        """The scale of one day.

        Raises DataRefused for a measure nobody has, ConfigRefused for weights that cannot be used.
        """
        wanted = check(settings)
        empty = [m for m in wanted if m not in table or table[m].notna().sum() == 0]
        if empty:
            have = [m for m in MEASURES if m in table and table[m].notna().any()]
            raise DataRefused(
                f"nobody has {', '.join(empty)}, which [insight.value] counts; take it out or map its "
                f"source. Measured here: {', '.join(have)}"
            )
        return cls({m: np.sort(table[m].dropna().to_numpy(float)) for m in wanted})

    def points(self, measure: str, values: pd.Series) -> Floats:
        """The share of the reference a customer is better than, 0-100; ties count half; NaN kept."""
        reference, x = self.reference[measure], values.to_numpy(float)
        below = np.searchsorted(reference, x, side="left")
        upto = np.searchsorted(reference, x, side="right")
        rank = 50 * (below + upto) / len(reference)
        rank = rank if MEASURES[measure].more_is_better else 100 - rank
        return np.where(np.isnan(x), np.nan, rank)


def check(settings: ValueSettings) -> list[str]:
    """The measures the settings count, once each.

    Raises ConfigRefused for weights that do not sum and measures that do not exist.
    """
    given(
        {n: d.weight for n, d in settings.dimensions.items()}, "weights of insight.value.dimensions"
    )
    wanted: dict[str, None] = {}
    for name, dimension in settings.dimensions.items():
        place = f"insight.value.dimensions.{name}.measures"
        check_measures(place, list(dimension.measures))
        given(dimension.measures, place)
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


def dimensions(table: pd.DataFrame, scale: Scale, settings: ValueSettings) -> pd.DataFrame:
    """Each dimension of each customer, 0-100: the mean of what is measured of it, NaN for nothing."""
    found = {}
    for name, dimension in settings.dimensions.items():
        points = {m: scale.points(m, table[m]) for m in dimension.measures}
        found[name] = _mean(pd.DataFrame(points, index=table.index), given(dimension.measures))[0]
    return pd.DataFrame(found, index=table.index)


def weight_sets(
    table: pd.DataFrame, settings: ValueSettings, outcome: pd.Series | None = None
) -> dict[str, Weights]:
    """The weights of the dimensions by every method there is something for, by the method's name.

    Raises DataRefused for weights from the data only where they are those that count.
    """
    sets = {"given": given({n: d.weight for n, d in settings.dimensions.items()})}
    for name, tell in (("entropy", entropy_weights), ("critic", critic_weights)):
        try:
            sets[name] = tell(table)
        except DataRefused:
            if settings.weights == name:
                raise
    if settings.ahp is not None:
        sets["ahp"] = ahp_weights(settings.ahp)
    if outcome is not None:
        sets["learned"] = learned_weights(table, outcome)
    return sets


def value_score(
    table: pd.DataFrame, scale: Scale, settings: ValueSettings, weights: Weights | None = None
) -> pd.DataFrame:
    """The dimensions, and `value_score` 0-100 with `value_score_low` and `value_score_high`.

    `weights` are those settled on the reference day; those given and of the raters need not be passed.
    Bounds of measures are carried through as if independent; measures without bounds count as sure.
    `known_weight` is the share of weight that could be measured, over which the score is a mean.
    """
    weights = weights or _settled(settings)
    dims = dimensions(table, scale, settings)
    score, known = _mean(dims, weights)
    low, high = _spread(table, scale, settings, weights)
    enough = known >= settings.least_known - 1e-9
    return dims.assign(
        value_score=score.where(enough),
        value_score_low=(score - low / known).clip(lower=0).where(enough),
        value_score_high=(score + high / known).clip(upper=100).where(enough),
        known_weight=known,
    )


def _settled(settings: ValueSettings) -> Weights:
    """Weights that do not depend on the day."""
    if settings.weights == "ahp" and settings.ahp is not None:
        return ahp_weights(settings.ahp)
    if settings.weights != "given":
        raise ConfigRefused(
            f'insight.value.weights is "{settings.weights}", which is told from the data: pass the '
            "weights of the reference day (weight_sets), or scores of two days cannot be compared"
        )
    return given({n: d.weight for n, d in settings.dimensions.items()})


def _mean(points: pd.DataFrame, weights: Weights) -> tuple[pd.Series, pd.Series]:
    """The weighted mean of what is known, and how much of the weight that is."""
    share = np.array([weights.share[str(c)] for c in points.columns])
    known = pd.Series(points.notna().to_numpy() @ share, index=points.index)
    total = pd.Series(points.fillna(0).to_numpy(float) @ share, index=points.index)
    return (total / known).where(known > 0), known


def _spread(
    table: pd.DataFrame, scale: Scale, settings: ValueSettings, weights: Weights
) -> tuple[pd.Series, pd.Series]:
    """How far the measures' bounds take the score down and up, root of the sum of squares."""
    down, up = (pd.Series(0.0, index=table.index) for _ in range(2))
    for name, dimension in settings.dimensions.items():
        for measure, part in given(dimension.measures).share.items():
            about = MEASURES[measure]
            if about.low not in table or about.high not in table:
                continue
            ends = np.array([scale.points(measure, table[c]) for c in (about.low, about.high)])
            middle, share = scale.points(measure, table[measure]), weights.share[name] * part
            down += np.nan_to_num(share * np.clip(middle - ends.min(axis=0), 0, None)) ** 2
            up += np.nan_to_num(share * np.clip(ends.max(axis=0) - middle, 0, None)) ** 2
    return down.pow(0.5), up.pow(0.5)
