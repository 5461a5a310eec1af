"""Agreement between raters of the same customers (ICC, Krippendorff), and their leniency."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import DataRefused

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RaterAgreement:
    """The agreement of raters (1: perfect) with its 95% interval, and the customers it is based on.

    Without any disagreement the interval has no ends (NaN): how much raters differ was not seen.
    """

    value: float
    low: float
    high: float
    customers: int


def intraclass_correlation(
    ratings: pd.DataFrame, of: Literal["one", "mean"] = "one"
) -> RaterAgreement:
    """Return the intraclass correlation (absolute agreement) of one rater or of the mean of all raters.

    Customers are rows, raters columns; customers not rated by all raters are left out. ICC(2,1) and
    ICC(2,k) of Shrout and Fleiss (1979), interval of McGraw and Wong (1996). Raises DataRefused under 3
    complete customers or 2 raters.
    """
    from scipy.stats import f

    x = ratings.dropna().to_numpy(float)
    n, k = x.shape
    if n < 3 or k < 2:
        raise DataRefused(
            f"{n} customers rated by all of {k} raters; agreement needs 3 customers and 2 raters"
        )
    rows, columns, rest = _mean_squares(x)
    if rows + rest == 0:
        raise DataRefused(
            "all ratings are equal; the agreement is undefined: rate customers that differ"
        )
    single = (rows - rest) / (rows + (k - 1) * rest + k * (columns - rest) / n)
    if single >= 1:
        return RaterAgreement(1.0, np.nan, np.nan, n)
    a, b = k * single / (n * (1 - single)), 1 + k * single * (n - 1) / (n * (1 - single))
    free = (a * columns + b * rest) ** 2 / (
        (a * columns) ** 2 / (k - 1) + (b * rest) ** 2 / ((n - 1) * (k - 1))
    )
    above, below = f.ppf(0.975, n - 1, free), f.ppf(0.975, free, n - 1)
    error = k * columns + (k * n - k - n) * rest
    low = n * (rows - above * rest) / (above * error + n * rows)
    high = n * (below * rows - rest) / (error + n * below * rows)
    value, lowest, highest = float(single), float(low), float(high)
    if of == "mean":  # Spearman-Brown formula for the mean of k raters
        value, lowest, highest = (k * v / (1 + (k - 1) * v) for v in (value, lowest, highest))
    return RaterAgreement(value, lowest, highest, n)


def krippendorff_alpha(
    ratings: pd.DataFrame,
    level: Literal["nominal", "ordinal", "interval"] = "ordinal",
    seed: int = 0,
) -> RaterAgreement:
    """Return Krippendorff's alpha (2011), observed against expected disagreement.

    Customers are rows, raters columns, missing ratings allowed. The interval is a bootstrap over
    customers. Raises DataRefused if no customer has two ratings, or all ratings are equal.
    """
    x = ratings.to_numpy(float)
    x = x[np.isfinite(x).sum(axis=1) >= 2]
    values = np.unique(x[np.isfinite(x)])
    if len(values) < 2:
        raise DataRefused(
            f"{len(x)} customers have two ratings or more, with {len(values)} different ones; agreement "
            "needs ratings that differ"
        )
    counts = np.array([[np.sum(row == v) for v in values] for row in x], dtype=float)
    rng = np.random.default_rng(seed)
    resampled = []
    for _ in range(500):
        drawn = counts[rng.integers(0, len(counts), len(counts))]
        if (drawn.sum(axis=0) > 0).sum() > 1:
            resampled.append(_alpha(drawn, values, level))
    low, high = np.quantile(resampled, [0.025, 0.975])
    if low == high:
        low = high = np.nan
    return RaterAgreement(_alpha(counts, values, level), float(low), float(high), len(x))


def fit_consensus(ratings: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Estimate each customer's rating as if all raters had rated them, and each rater's leniency.

    Customers are rows, raters columns, missing values allowed: least squares of customer and rater
    effects (in points), the rater effects summing to 0. Raises DataRefused, naming the groups, if groups
    of raters share no customer and cannot be compared.
    """
    x = ratings.dropna(how="all")
    _check_connected(x)
    rated = x.stack().dropna()
    row = pd.Categorical(rated.index.get_level_values(0), categories=x.index).codes
    column = pd.Categorical(rated.index.get_level_values(1), categories=x.columns).codes
    y, count = rated.to_numpy(float), x.notna().to_numpy(float)
    per_row, per_column = count.sum(axis=1), count.sum(axis=0)
    # Eliminating the customer effects leaves a small system over the raters, solved with sum 0.
    left = np.diag(per_column) - count.T @ (count / per_row[:, None])
    means = np.bincount(row, y, len(x)) / per_row
    right = np.bincount(column, y - means[row], x.shape[1])
    leniency = np.linalg.solve(left + 1.0, right)
    level = means - (count @ leniency) / per_row
    return pd.Series(level, x.index), pd.Series(leniency, x.columns)


def _mean_squares(x: Floats) -> tuple[float, float, float]:
    """Return the mean squares between customers, between raters, and residual."""
    n, k = x.shape
    mean = x.mean()
    rows = k * ((x.mean(axis=1) - mean) ** 2).sum()
    columns = n * ((x.mean(axis=0) - mean) ** 2).sum()
    rest = max(((x - mean) ** 2).sum() - rows - columns, 0.0)
    return float(rows / (n - 1)), float(columns / (k - 1)), float(rest / ((n - 1) * (k - 1)))


def _alpha(counts: Floats, values: Floats, level: str) -> float:
    """Return one minus observed over expected disagreement; `counts` is (customers, values)."""
    m = counts.sum(axis=1)
    total = counts.sum(axis=0)
    distance = _distances(values, total, level)
    # A value paired with itself has distance 0, so the pairs need no correction on the diagonal.
    observed = ((counts @ distance * counts).sum(axis=1) / (m - 1)).sum() / m.sum()
    expected = (total @ distance @ total) / (m.sum() * (m.sum() - 1))
    return float(1 - observed / expected)


def _distances(values: Floats, total: Floats, level: str) -> Floats:
    """Return the squared distances between values."""
    if level == "nominal":
        return 1.0 - np.eye(len(values))
    if level == "interval":
        return np.asarray((values[:, None] - values) ** 2)
    ranks = (
        np.cumsum(total) - total / 2
    )  # mid-ranks: ordinal distance counts the ratings in between
    return np.asarray((ranks[:, None] - ranks) ** 2)


def _check_connected(x: pd.DataFrame) -> None:
    """Raise DataRefused unless all raters share customers, directly or through other raters."""
    from scipy.sparse.csgraph import connected_components

    shared = x.notna().to_numpy(int)
    groups, member = connected_components(shared.T @ shared, directed=False)
    if groups > 1:
        names = [" and ".join(map(str, x.columns[member == g])) for g in range(groups)]
        raise DataRefused(
            f"{'; '.join(names)} have rated no customer in common; let one rater of each group rate "
            "the same customers"
        )
