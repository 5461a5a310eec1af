"""Calibration error of probabilities, compared with the error that chance alone would cause.

On few rows even perfect probabilities show an error, because outcomes scatter around them. The error is
therefore compared with the errors of outcomes simulated from the same probabilities.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from models.evaluation.metrics import BINS
from models.evaluation.slices import attribute_title, find_groups

Array = np.ndarray
SIMULATIONS = 500
#: Segments with fewer rows show mostly chance: a perfect 30% is then off by 2 points and more.
ENOUGH_ROWS = 500


@dataclass(frozen=True)
class CalibrationError:
    """The mean gap between predicted and observed share, and the gap expected by chance.

    `chance` and `chance_high` are the mean and the 95% quantile of the error of perfectly calibrated
    probabilities on as many rows; `surprise` is the p-value of the error under perfect calibration.
    """

    name: str
    rows: int
    error: float
    chance: float
    chance_high: float
    surprise: float

    @property
    def beyond_chance(self) -> bool:
        """Whether the error exceeds the 95% quantile of chance."""
        return self.error > self.chance_high

    def describe(self) -> str:
        """The error and what chance explains, as a sentence."""
        return (
            f"Off by {100 * self.error:.1f} points on average; probabilities that are exactly right "
            f"are off by {100 * self.chance:.1f} on {self.rows:,} rows, and by more than "
            f"{100 * self.chance_high:.1f} in one case of twenty."
        )


def reliability_bins(
    y: Array, p: Array, weight: Array | None = None, bins: int = 10
) -> pd.DataFrame:
    """Predicted and observed share in bins of equal weight, the lowest probabilities first.

    `y` is 0 or 1 (for classes, one against the rest). Columns: `predicted`, `observed`, its 95%
    interval `low` to `high` (Wilson, at Kish's effective sample size), `rows`. Equal probabilities
    share a bin, so there may be fewer bins.
    """
    w = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=float)
    place = weight_bins(p, w, bins)
    mass, rows = np.bincount(place, w, bins), np.bincount(place, minlength=bins)
    used = mass > 0
    size = mass[used] ** 2 / np.bincount(place, w**2, bins)[used]
    predicted = np.bincount(place, w * p, bins)[used] / mass[used]
    observed = np.bincount(place, w * y, bins)[used] / mass[used]
    low, high = wilson_interval(observed, size)
    return pd.DataFrame(
        {"predicted": predicted, "observed": observed, "low": low, "high": high, "rows": rows[used]}
    )


def weight_bins(score: Array, w: Array, bins: int) -> Array:
    """The bin of equal weight of each row, 0 for the lowest scores; tied scores share a bin."""
    _, where = np.unique(score, return_inverse=True)
    mass = np.bincount(where, w)
    middle = (np.cumsum(mass) - mass / 2) / mass.sum()
    return np.asarray(np.minimum((middle * bins).astype(np.int64), bins - 1)[where])


def wilson_interval(share: Array, count: Array) -> tuple[Array, Array]:
    """95% confidence interval of a share observed in `count` rows. Wilson (1927)."""
    z = 1.96
    centre = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return np.maximum(centre - half, 0.0), np.minimum(
        centre + half, 1.0
    )  # rounding can leave [0, 1]


def calibration_error(
    y: Array, p: Array, weight: Array | None = None, name: str = "all", seed: int = 0
) -> CalibrationError:
    """The calibration error of probabilities (n,), or of class probabilities (n, K) for classes `y`.

    For classes it is the mean over the classes, each against the rest: `metrics.class_ece`. Outcomes
    are simulated 500 times, independently of each other.
    """
    p = np.asarray(p, dtype=float)
    shares = p[:, None] if p.ndim == 1 else p
    w = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=float)
    place = [weight_bins(column, w, BINS) for column in shares.T]
    occurred = np.asarray(y)[:, None] == ([1] if p.ndim == 1 else np.arange(shares.shape[1]))
    error = _error(place, shares, occurred, w)
    simulated = np.array([_error(place, shares, hit, w) for hit in _outcomes(shares, seed)])
    return CalibrationError(
        name,
        len(y),
        error,
        float(simulated.mean()),
        float(np.quantile(simulated, 0.95)),
        float((1 + (simulated >= error).sum()) / (1 + SIMULATIONS)),
    )


def _error(place: list[Array], shares: Array, occurred: Array, w: Array) -> float:
    """The bin gaps, averaged by weight within a column and then over the columns."""
    gaps = w[:, None] * (shares - occurred)
    each = [
        np.abs(np.bincount(bins, gap, BINS)).sum() for bins, gap in zip(place, gaps.T, strict=True)
    ]
    return float(np.mean(each) / w.sum())


def _outcomes(shares: Array, seed: int) -> Iterator[Array]:
    """Simulate outcomes from the probabilities; at most one column is true in a row."""
    rng = np.random.default_rng(seed)
    upper = np.cumsum(shares, axis=1)
    lower = upper - shares
    for _ in range(SIMULATIONS):
        u = rng.random((len(shares), 1))
        yield (lower <= u) & (u < upper)


def calibration_error_by_segment(
    features: pa.Table, y: Array, p: Array, weight: Array | None = None
) -> tuple[CalibrationError, ...]:
    """The calibration error in every group of customers (`find_groups`) with at least 500 rows.

    By chance, one group in twenty exceeds its 95% quantile: look at how many groups do.
    """
    found = []
    for group in find_groups(features).found:
        if (rows := group.rows).sum() >= ENOUGH_ROWS:
            w = None if weight is None else weight[rows]
            name = f"{attribute_title(group.column)}: {group.value}"
            found.append(calibration_error(y[rows], p[rows], w, name))
    return tuple(found)
