"""Weights that let those who answered stand for all who were asked, and what they cost."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.learners.feature_encoder import Encoder, split_informative

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: A chance below this counts as this: nobody stands for more than about forty others.
CLIP = 0.025


@dataclass(frozen=True)
class Weights:
    """The weight of each invitation, 0 without an answer; `chance` is the propensity, clipped.

    Stabilised: share that answered / chance, so that the mean weight of an answer is about 1.
    `clipped` counts the invitations whose chance was raised to `CLIP`.
    """

    chance: Floats
    weight: Floats
    clipped: int

    @property
    def effective(self) -> float:
        """As many answers of equal weight would be as precise (Kish 1965)."""
        squares = float((self.weight**2).sum())
        return float(self.weight.sum()) ** 2 / squares if squares else 0.0


@dataclass(frozen=True)
class Balance:
    """How unlike those who answered are to all who were asked, feature by feature.

    Standardised mean differences, in standard deviations of all who were asked.
    """

    columns: tuple[str, ...]
    before: Floats
    after: Floats

    def worst(self, count: int) -> list[tuple[str, float, float]]:
        """The features that differed most before weighting, with both differences."""
        order = np.argsort(-np.abs(self.before), kind="stable")[:count]
        return [(self.columns[i], float(self.before[i]), float(self.after[i])) for i in order]


def stabilised(answered: Mask, chance: Floats, weight: Floats) -> Weights:
    """Inverse chances of answering, clipped, times `weight`, the survey's own weights."""
    clipped = np.maximum(chance, CLIP)
    share = float(np.average(answered, weights=weight))
    return Weights(
        chance=clipped,
        weight=np.where(answered, weight * share / clipped, 0.0),
        clipped=int((chance < CLIP).sum()),
    )


def balance(features: pa.Table, weight: Floats, answered: Floats, weighted: Floats) -> Balance:
    """Compare all (`weight`) with those who answered: `answered` as they are, `weighted` as weighed.

    A missing number counts as the mean of the others, and being missing as a feature of its own.
    """
    kept, _ = split_informative(features)
    encoder = Encoder.fit(features, kept)
    matrix = encoder.encode(features)
    names: list[str] = []
    differences: list[tuple[float, float]] = []
    for place, name in enumerate(encoder.columns):
        for label, values in _told(name, matrix[:, place], encoder.categories.get(name)):
            mean = np.average(values, weights=weight)
            spread = float(np.sqrt(np.average((values - mean) ** 2, weights=weight)))
            if spread > 0:
                names.append(label)
                before, after = (
                    (np.average(values, weights=w) - mean) / spread for w in (answered, weighted)
                )
                differences.append((float(before), float(after)))
    both = np.array(differences).reshape(-1, 2)
    return Balance(tuple(names), both[:, 0], both[:, 1])


def _told(
    name: str, values: Floats, categories: tuple[str, ...] | None
) -> list[tuple[str, Floats]]:
    """A column as numbers to compare: itself and where it is missing, or one a category."""
    if categories is not None:
        return [(f"{name} = {c}", (values == i).astype(float)) for i, c in enumerate(categories)]
    missing = np.isnan(values)
    filled = np.where(missing, np.nanmean(values), values)
    told = [(name, filled)]
    return [*told, (f"{name} missing", missing.astype(float))] if missing.any() else told
