"""Convert answers on 5, 7, 10 and 100 point scales to one scale, 0 to 100, keeping their order."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import DataRefused

Floats = NDArray[np.float64]

#: Rank correlation with the other items below which an item is reversed, not just weak.
REVERSED_BELOW = -0.2
#: Answers needed to compare distributions or to detect a reversed item.
MIN_ANSWERS = 30


@dataclass(frozen=True)
class SurveyScale:
    """The ends of an answer scale; `low` is the worst answer, even if it is the larger number."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (np.isfinite([self.low, self.high]).all() and self.low != self.high):
            raise DataRefused(
                f"a scale from {self.low:g} to {self.high:g} has no points; its ends must be two "
                "different numbers, as 1 and 5"
            )

    def to_hundred(self, answers: Floats) -> Floats:
        """Convert answers linearly to 0 (worst) to 100 (best); missing ones stay NaN.

        Raises DataRefused for an answer outside the scale.
        """
        answers = np.asarray(answers, np.float64)
        below, above = min(self.low, self.high), max(self.low, self.high)
        outside = answers[(answers < below) | (answers > above)]
        if len(outside):
            raise DataRefused(
                f"{len(outside)} answers lie outside the scale {below:g} to {above:g}, for example "
                f"{outside[0]:g}; a code for 'not used' or 'no answer' must be empty, another scale "
                "must be declared"
            )
        return np.asarray(100.0 * (answers - self.low) / (self.high - self.low))


def require_one_scale(question: str, low: Floats, high: Floats) -> SurveyScale:
    """Return the scale of a question.

    Raises DataRefused if its answers were given on several scales: they are no longer one question.
    """
    pairs, counts = np.unique(np.column_stack([low, high]), axis=0, return_counts=True)
    if not len(pairs) or np.isnan(pairs).any():
        raise DataRefused(f"{question}: a scale is missing; scale_low and scale_high are needed")
    if len(pairs) > 1:
        found = ", ".join(
            f"{a:g} to {b:g} ({n} rows)" for (a, b), n in zip(pairs, counts, strict=True)
        )
        raise DataRefused(
            f"{question}: the scales disagree within one question: {found}; give each its own "
            'dimension, or say how they come together: mixed_scales = "linear" or "equipercentile" '
            "under [insight.satisfaction]"
        )  # fmt: skip
    return SurveyScale(float(pairs[0, 0]), float(pairs[0, 1]))


@dataclass(frozen=True)
class Equipercentile:
    """Each point of one scale with the point of another that has the same percentile rank.

    The answers to both must come from similar groups, as when the scale changed between two waves.
    Kolen and Brennan (2014), chapter 2: percentile ranks, linear within a point's unit.
    """

    points: Floats
    equivalents: Floats

    @classmethod
    def fit(
        cls, answers: Floats, target: Floats, scale: SurveyScale, onto: SurveyScale
    ) -> "Equipercentile":
        """Fit the mapping from answers on `scale` to `target`, answers on `onto`.

        Scales of whole numbers. Raises DataRefused for fewer than 30 answers on either, and for a scale
        whose `low` is the larger end.
        """
        for descending in (s for s in (scale, onto) if s.low > s.high):
            raise DataRefused(
                f"a scale from {descending.low:g} to {descending.high:g} runs down; bring its answers "
                "to one that runs up first (to_hundred)"
            )
        few = min(np.isfinite(answers).sum(), np.isfinite(target).sum())
        if few < MIN_ANSWERS:
            raise DataRefused(
                f"{few} answers on one of two scales; at least {MIN_ANSWERS} on each are needed "
                "to match their distributions"
            )
        points, target_points = (np.arange(s.low, s.high + 1) for s in (scale, onto))
        source_shares, target_shares = (
            _cumulative(answers, points),
            _cumulative(target, target_points),
        )
        ranks = (np.r_[0.0, source_shares[:-1]] + source_shares) / 2
        matched = (_quantile(ranks, target_points, target_shares, "left")
                   + _quantile(ranks, target_points, target_shares, "right")) / 2  # fmt: skip
        clipped = np.clip(matched, onto.low, onto.high)
        return cls(points, np.maximum.accumulate(clipped))

    def convert(self, answers: Floats) -> Floats:
        """Convert answers to the other scale; missing ones stay NaN."""
        return np.asarray(np.interp(answers, self.points, self.equivalents))


def find_reversed_items(answers: pd.DataFrame) -> dict[str, float]:
    """Find items that run against all others, with their rank correlation with the others' mean.

    The worst one is reversed and the rest examined again, until none is left, because a reversed item
    distorts the mean of the others. At most half can be found: the majority defines the direction.
    Raises DataRefused with fewer than 30 complete rows or three items.
    """
    complete = answers.dropna()
    if len(complete) < MIN_ANSWERS or complete.shape[1] < 3:
        raise DataRefused(
            f"{len(complete)} complete answers to {complete.shape[1]} items; {MIN_ANSWERS} answers "
            "to 3 items are needed to find reversed ones"
        )
    ranks = complete.rank()
    ranks = (ranks - ranks.mean()) / ranks.std().replace(0.0, np.nan)
    found: dict[str, float] = {}
    while len(found) < answers.shape[1] // 2:
        others = ranks.rsub(ranks.sum(axis=1), axis=0)
        agreement = ranks.corrwith(others, method="spearman")
        agreement = agreement.drop(labels=list(found)).dropna()
        if agreement.empty or agreement.min() > REVERSED_BELOW:
            break
        worst = str(agreement.idxmin())
        found[worst] = float(agreement.min())
        ranks[worst] = -ranks[worst]
    return found


def _quantile(
    ranks: Floats, points: Floats, cumulative: Floats, side: Literal["left", "right"]
) -> Floats:
    """Return the point of a scale at given percentile ranks, each answer spread over its point's unit.

    Between points without answers, `side` chooses the `left` or `right` end of the gap.
    """
    below = np.r_[0.0, cumulative[:-1]]
    chosen = cumulative > below
    points, below, cumulative = points[chosen], below[chosen], cumulative[chosen]
    index = np.minimum(np.searchsorted(cumulative, ranks, side), len(points) - 1)
    inside = (ranks - below[index]) / (cumulative - below)[index]
    return np.asarray(points[index] - 0.5 + np.clip(inside, 0.0, 1.0))


def _cumulative(answers: Floats, points: Floats) -> Floats:
    """Return the share of answers up to each point of a scale."""
    known = np.sort(answers[np.isfinite(answers)])
    return np.asarray(np.searchsorted(known, points + 0.5) / len(known))
