"""How wrong the corrected figure can be if answering depends on what no table shows.

Zhao, Small and Bhattacharya (2019): among customers who look alike, the odds of answering may
differ by up to a factor gamma, in whatever way does most harm.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.nonresponse.aipw import Answers

Floats = NDArray[np.float64]

GAMMAS = (1.0, 1.25, 1.5, 2.0, 3.0)
#: Beyond this the naive figure is out of reach.
MOST = 20.0


@dataclass(frozen=True)
class Bound:
    """The lowest and the highest the figure can be for one gamma."""

    gamma: float
    low: float
    high: float


def bound(answers: Answers, chance: Floats, gamma: float) -> Bound:
    """The range of the corrected figure when odds of answering differ by up to `gamma`.

    Each answer's weight may lie between the inverse chances that odds / gamma and odds x gamma
    give. The extremes put the small weights on one side of some error and the large on the other.
    Sampling error is not in it. Raises ValueError for a gamma below 1.
    """
    if gamma < 1:
        raise ValueError(f"gamma {gamma} is below 1; it is the larger of two odds by the smaller")
    heard = answers.weight > 0
    misses = (answers.said - answers.expected)[heard]
    base, others = answers.base[heard], 1.0 / chance[heard] - 1.0
    light, heavy = base * (1 + others / gamma), base * (1 + others * gamma)
    level = float(np.average(answers.expected, weights=answers.base))
    high = _largest_mean(misses, light, heavy)
    low = -_largest_mean(-misses, light, heavy)
    return Bound(gamma, level + low, level + high)


def gamma_to(figure: float, answers: Answers, chance: Floats) -> float | None:
    """The smallest gamma whose range holds `figure`; None if it takes more than `MOST`."""

    def holds(gamma: float) -> bool:
        found = bound(answers, chance, gamma)
        return found.low <= figure <= found.high

    if holds(1.0):
        return 1.0
    if not holds(MOST):
        return None
    low, high = 1.0, MOST
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _largest_mean(values: Floats, light: Floats, heavy: Floats) -> float:
    """The largest weighted mean with each weight between `light` and `heavy`."""
    order = np.argsort(-values, kind="stable")
    values, light, heavy = values[order], light[order], heavy[order]

    def tops(weights: Floats) -> Floats:
        return np.concatenate(([0.0], np.cumsum(weights)))

    sums = tops(heavy * values) + (light * values).sum() - tops(light * values)
    masses = tops(heavy) + light.sum() - tops(light)
    return float((sums / masses).max())
