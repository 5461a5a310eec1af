"""Answers on 5, 7, 10 and 100 point scales brought to one, 0 to 100, without changing their order."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import DataRefused

Floats = NDArray[np.float64]

#: Ends of the scales questionnaires use, by their number of points.
SCALES = {5: (1.0, 5.0), 7: (1.0, 7.0), 10: (1.0, 10.0), 11: (0.0, 10.0), 100: (0.0, 100.0)}
#: A rank correlation with the other items below this is no accident of a weak item.
REVERSED_BELOW = -0.2
#: Fewer complete answers cannot tell a reversed item from chance.
MIN_ANSWERS = 30


@dataclass(frozen=True)
class SurveyScale:
    """The ends of an answer scale; `low` is the worst answer, also where it is the larger number."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (np.isfinite([self.low, self.high]).all() and self.low != self.high):
            raise DataRefused(
                f"a scale from {self.low:g} to {self.high:g} has no points; its ends must be two "
                "different numbers, as 1 and 5"
            )

    def to_hundred(self, answers: Floats) -> Floats:
        """Answers on a line from 0 (worst) to 100 (best); missing ones stay NaN.

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

    def turned(self) -> "SurveyScale":
        """The same scale read the other way round, for a reverse-coded item."""
        return SurveyScale(self.high, self.low)


def require_one_scale(question: str, low: Floats, high: Floats) -> SurveyScale:
    """The scale on which a question was asked.

    Raises DataRefused if its answers were given on several: they are no longer one question.
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
    """Each point of one scale with the point of another below which as many answers lie.

    The answers to both must come from groups that are alike, as when the scale was changed between
    two waves. Kolen and Brennan (2014), chapter 2: percentile ranks, linear within a point's unit.
    """

    points: Floats
    equivalents: Floats

    @classmethod
    def fit(cls, answers: Floats, target: Floats, scale: SurveyScale, onto: SurveyScale) -> "Equipercentile":
        """Learn the mapping from answers on `scale` to `target`, answers on `onto`.

        Scales of whole numbers. Raises DataRefused for less than 30 answers on either, and for a scale
        whose `low` is the larger end.
        """
        for turned in (s for s in (scale, onto) if s.low > s.high):
            raise DataRefused(
                f"a scale from {turned.low:g} to {turned.high:g} runs down; bring its answers to one "
                "that runs up first (to_hundred)"
            )
        few = min(np.isfinite(answers).sum(), np.isfinite(target).sum())
        if few < MIN_ANSWERS:
            raise DataRefused(
                f"{few} answers on one of two scales; at least {MIN_ANSWERS} on each are needed "
                "to match their distributions"
            )
        points, there = (np.arange(s.low, s.high + 1) for s in (scale, onto))
        here, beyond = _cumulative(answers, points), _cumulative(target, there)
        ranks = (np.r_[0.0, here[:-1]] + here) / 2
        matched = (_point_at(ranks, there, beyond, "left")
                   + _point_at(ranks, there, beyond, "right")) / 2  # fmt: skip
        clipped = np.clip(matched, onto.low, onto.high)
        return cls(points, np.maximum.accumulate(clipped))

    def of(self, answers: Floats) -> Floats:
        """Answers on the other scale; missing ones stay NaN."""
        return np.asarray(np.interp(answers, self.points, self.equivalents))


def find_reversed_items(answers: pd.DataFrame) -> dict[str, float]:
    """The items that run against all others, with their rank correlation with the others' mean.

    The worst one is turned and the rest looked at again, until none is left: a reversed item spoils
    the mean of the others. At most half can be found: which way is up, the majority says.
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


def to_one_scale(
    answers: pd.DataFrame, scales: Mapping[str, SurveyScale], *, turn: bool = True
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Columns of answers on 0 to 100, reverse-coded items turned; the turned with their evidence."""
    lacking = [name for name in answers if name not in scales]
    if lacking:
        raise DataRefused(f"no scale for {', '.join(map(str, lacking))}; each item needs one")
    mapped = answers.apply(lambda item: scales[str(item.name)].to_hundred(item.to_numpy(float)))
    found = find_reversed_items(mapped) if turn else {}
    for name in found:
        mapped[name] = 100.0 - mapped[name]
    return mapped, found


def _point_at(
    ranks: Floats, points: Floats, upto: Floats, side: Literal["left", "right"]
) -> Floats:
    """The place on a scale below which a share of its answers lies, each spread over its point's unit.

    Between points that nobody chose the place is not known: the `left` or `right` end of the gap.
    """
    below = np.r_[0.0, upto[:-1]]
    chosen = upto > below
    points, below, upto = points[chosen], below[chosen], upto[chosen]
    place = np.minimum(np.searchsorted(upto, ranks, side), len(points) - 1)
    inside = (ranks - below[place]) / (upto - below)[place]
    return np.asarray(points[place] - 0.5 + np.clip(inside, 0.0, 1.0))


def _cumulative(answers: Floats, points: Floats) -> Floats:
    """The share of answers up to each point of a scale."""
    known = np.sort(answers[np.isfinite(answers)])
    return np.asarray(np.searchsorted(known, points + 0.5) / len(known))
