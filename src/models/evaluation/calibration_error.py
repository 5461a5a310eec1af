"""Calibration error of probabilities, compared with the error that chance alone would cause.

On few rows even perfect probabilities show an error, because outcomes scatter around them. The error is
therefore compared with the errors of outcomes simulated from the same probabilities, and the excess over
that chance is what counts. A plain bootstrap of the error adds the scatter a second time, so that its
interval can lie above the error itself; here each resample is compared with its own chance.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from models.evaluation.bootstrap import Interval, percentile_interval, resample_groups
from models.evaluation.metrics import BINS
from models.evaluation.slices import attribute_title, find_groups

Array = np.ndarray
SIMULATIONS, RESAMPLES = 500, 200
#: Segments with fewer rows show mostly chance: a perfect 30% is then off by 2 points and more.
ENOUGH_ROWS = 500


@dataclass(frozen=True)
class CalibrationError:
    """The mean gap between predicted and observed share, and the gap expected by chance.

    `chance` and `chance_high` are the mean and the 95% quantile of the error of perfectly calibrated
    probabilities on as many rows; `surprise` is the p-value of the error under perfect calibration.
    `excess_low` to `excess_high` is the 95% interval of the excess, from resampled customers.
    """

    name: str
    rows: int
    error: float
    chance: float
    chance_high: float
    surprise: float
    excess_low: float
    excess_high: float

    @property
    def excess(self) -> float:
        """The error beyond what chance makes; about 0, also below, for perfect calibration.

        A real gap and chance partly cancel, so the true gap is at least as large as a positive excess.
        """
        return self.error - self.chance

    @property
    def interval(self) -> Interval:
        """The error with its 95% interval, which is that of the excess, moved up by chance."""
        low, high = (max(0.0, self.chance + end) for end in (self.excess_low, self.excess_high))
        return Interval(self.error, low, high)

    @property
    def beyond_chance(self) -> bool:
        """Whether the error exceeds the 95% quantile of chance."""
        return self.error > self.chance_high

    def describe(self) -> str:
        """The error and what chance explains, as a sentence."""
        low, high = 100 * self.excess_low, 100 * self.excess_high
        return (
            f"Off by {100 * self.error:.1f} points on average; probabilities that are exactly right "
            f"are off by {100 * self.chance:.1f} on {self.rows:,} rows, and by more than "
            f"{100 * self.chance_high:.1f} in one case of twenty. The excess over chance is "
            f"{100 * self.excess:.1f} points (95% interval {low:.1f} to {high:.1f})."
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
    y: Array,
    p: Array,
    weight: Array | None = None,
    name: str = "all",
    seed: int = 0,
    groups: Array | None = None,
) -> CalibrationError:
    """The calibration error of probabilities (n,), or of class probabilities (n, K) for classes `y`.

    For classes it is the mean over the classes, each against the rest: `metrics.class_ece`. Outcomes
    are simulated 500 times, independently of each other; where rows of one customer (`groups`) err
    together, chance is larger by the square root of the design effect (Kish 1965).
    """
    p = np.asarray(p, dtype=float)
    shares = p[:, None] if p.ndim == 1 else p
    w = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=float)
    binned = _Binned.of(np.asarray(y), shares, w, [1] if p.ndim == 1 else np.arange(p.shape[1]))
    code = np.arange(len(y)) if groups is None else np.unique(groups, return_inverse=True)[1]
    larger = np.sqrt(binned.design_effect(code.ravel()))
    error = binned.error(binned.occurred)
    simulated = larger * np.array([binned.error(hit) for hit in _outcomes(shares, seed)])
    chance = float(simulated.mean())
    resampled = [binned.excess(n, larger) for n in resample_groups(code, RESAMPLES, seed)]
    interval = percentile_interval(error - chance, np.array(resampled))
    return CalibrationError(
        name,
        len(y),
        error,
        chance,
        float(np.quantile(simulated, 0.95)),
        float((1 + (simulated >= error).sum()) / (1 + SIMULATIONS)),
        interval.low,
        interval.high,
    )


@dataclass(frozen=True)
class _Binned:
    """Probabilities (n, K) of outcomes that `occurred` or not, the bin of each, and row weights."""

    place: list[Array]
    shares: Array
    occurred: Array
    weight: Array

    @classmethod
    def of(
        cls, y: Array, shares: Array, weight: Array, classes: Sequence[int] | Array
    ) -> "_Binned":
        place = [weight_bins(column, weight, BINS) for column in shares.T]
        return cls(place, shares, y[:, None] == classes, weight)

    def error(self, occurred: Array, times: Array | float = 1.0) -> float:
        """The bin gaps, averaged by weight within a column and then over the columns."""
        w = self.weight * times
        gaps = w[:, None] * (self.shares - occurred)
        each = [np.abs(np.bincount(b, gap, BINS)).sum() for b, gap in self._columns(gaps)]
        return float(np.mean(each) / w.sum())

    def excess(self, times: Array, larger: float) -> float:
        """The error of a resample, less the mean error that chance makes on the same rows.

        A row that is drawn twice scatters twice as far: the chance of a resample is that of its
        weights, larger than that of the data. The mean size of a normal scatter is 0.8 of its spread.
        """
        w = self.weight * times
        spread = w[:, None] ** 2 * self.shares * (1 - self.shares)
        each = [np.sqrt(np.bincount(b, s, BINS)).sum() for b, s in self._columns(spread)]
        chance = float(np.sqrt(2 / np.pi) * larger * np.mean(each) / w.sum())
        return self.error(self.occurred, times) - chance

    def design_effect(self, code: Array) -> float:
        """How much the customers (numbers `code`) widen the variance of a bin's gap; at least 1."""
        gaps = self.weight[:, None] * (self.shares - self.occurred)
        several = gaps.size and code.max() + 1 < len(code)
        if not several or not gaps.any():
            return 1.0
        together = [np.bincount(b * (code.max() + 1) + code, gap) for b, gap in self._columns(gaps)]
        return max(1.0, float(sum((t**2).sum() for t in together) / (gaps**2).sum()))

    def _columns(self, values: Array) -> Iterator[tuple[Array, Array]]:
        return zip(self.place, values.T, strict=True)


def _outcomes(shares: Array, seed: int) -> Iterator[Array]:
    """Simulate outcomes from the probabilities; at most one column is true in a row."""
    rng = np.random.default_rng(seed)
    upper = np.cumsum(shares, axis=1)
    lower = upper - shares
    for _ in range(SIMULATIONS):
        u = rng.random((len(shares), 1))
        yield (lower <= u) & (u < upper)


def calibration_error_by_segment(
    features: pa.Table,
    y: Array,
    p: Array,
    weight: Array | None = None,
    groups: Array | None = None,
) -> tuple[CalibrationError, ...]:
    """The calibration error in every group of customers (`find_groups`) with at least 500 rows.

    By chance, one group in twenty exceeds its 95% quantile: look at how many groups do.
    """
    found = []
    for group in find_groups(features).found:
        if (rows := group.rows).sum() >= ENOUGH_ROWS:
            w, same = (None if part is None else part[rows] for part in (weight, groups))
            name = f"{attribute_title(group.column)}: {group.value}"
            found.append(calibration_error(y[rows], p[rows], w, name, groups=same))
    return tuple(found)
