"""Psychometric statistics of survey items: descriptives, polychoric correlations, reliability."""

from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import DataRefused
from models.evaluation.bootstrap import Interval

Floats = NDArray[np.float64]
CorrelationMethod = Literal["polychoric", "spearman", "kendall"]

MIN_ANSWERS = 30
#: Items with more answer options are treated as continuous, not as ordinal.
MAX_STEPS = 11
#: Largest polychoric correlation that can be distinguished from 1.
MAX_CORRELATION = 0.99
_NODES, _SHARES = np.polynomial.legendre.leggauss(24)


def describe_items(answers: pd.DataFrame) -> pd.DataFrame:
    """Return one row per item: counts, mean, standard deviation, quartiles, floor and ceiling.

    `floor` and `ceiling` are the shares at the lowest and highest value given (over 15% hides
    differences beyond it).
    """
    return pd.DataFrame({
        "answers": answers.count(),
        "missing": answers.isna().sum(),
        "mean": answers.mean(),
        "sd": answers.std(),
        "median": answers.median(),
        "q1": answers.quantile(0.25),
        "q3": answers.quantile(0.75),
        "floor": answers.eq(answers.min()).where(answers.notna()).mean(),
        "ceiling": answers.eq(answers.max()).where(answers.notna()).mean(),
    })  # fmt: skip


def correlate_items(
    answers: pd.DataFrame, method: CorrelationMethod = "polychoric"
) -> pd.DataFrame:
    """Return the correlation of every pair of items, from the rows that answered both.

    Polychoric: the correlation of the underlying normal variables (Olsson 1979, two-step), which few
    answer options do not shrink; a matrix with a negative eigenvalue is replaced by a positive definite
    one. Raises DataRefused for an item that never varies, for fewer than 30 common answers of a pair,
    and for polychoric correlations of items with more than 11 answer options.
    """
    check_items(answers)
    names = list(answers.columns)
    matrix = pd.DataFrame(np.eye(len(names)), names, names)
    for one, other in combinations(names, 2):
        both = answers[[one, other]].dropna()
        if len(both) < MIN_ANSWERS:
            raise DataRefused(
                f"{len(both)} rows answer both {one} and {other}; at least {MIN_ANSWERS} are needed "
                "for their correlation"
            )
        first, second = both[one].to_numpy(float), both[other].to_numpy(float)
        matrix.loc[one, other] = matrix.loc[other, one] = (
            polychoric_correlation(first, second)
            if method == "polychoric"
            else both[one].corr(both[other], method=method)
        )
    return _make_positive_definite(matrix) if method == "polychoric" else matrix


def polychoric_correlation(first: Floats, second: Floats) -> float:
    """Estimate the correlation of two normal variables observed as ordered categories; within ±0.99."""
    from scipy.optimize import minimize_scalar
    from scipy.stats import norm

    rows, counts = _count_options(first)
    columns, others = _count_options(second)
    table = np.zeros((len(counts), len(others)))
    np.add.at(table, (rows, columns), 1)
    cuts = [np.r_[-8.0, norm.ppf(np.cumsum(c[:-1]) / c.sum()), 8.0] for c in (counts, others)]

    def negative_log_likelihood(rho: float) -> float:
        cumulative = _bivariate_normal_cdf(cuts[0][:, None], cuts[1][None, :], rho)
        cell = np.diff(np.diff(cumulative, axis=0), axis=1)
        return float(-(table * np.log(np.clip(cell, 1e-12, None))).sum())

    return float(
        minimize_scalar(
            negative_log_likelihood, bounds=(-MAX_CORRELATION, MAX_CORRELATION), method="bounded"
        ).x
    )


def partial_correlations(correlation: pd.DataFrame) -> pd.DataFrame:
    """Return the correlation of each pair of items with all others held fixed.

    Raises DataRefused if an item is a linear combination of the others.
    """
    values = correlation.to_numpy(float)
    if np.linalg.eigvalsh(values)[0] < 1e-8:
        raise DataRefused(
            "an item follows from the others, so nothing is left when they are held fixed; leave one "
            f"of {', '.join(map(str, correlation.columns))} out"
        )
    inverse = np.linalg.inv(values)
    scale = np.sqrt(np.diag(inverse))
    partial = -inverse / np.outer(scale, scale)
    np.fill_diagonal(partial, 1.0)
    return pd.DataFrame(partial, correlation.index, correlation.columns)


@dataclass(frozen=True)
class Reliability:
    """Cronbach's alpha with its 95% interval, and its value without each item."""

    alpha: Interval
    without: dict[str, float]
    answers: int


def cronbach_alpha(answers: pd.DataFrame) -> Reliability:
    """Estimate how well items measure one construct, from complete rows; items must point the same way.

    The interval is Feldt's (1965), for items with similar variances. Raises DataRefused for one item,
    fewer than 30 complete rows, or an item that never varies.
    """
    from scipy.stats import f

    complete = answers.dropna()
    check_items(complete)
    rows, items = complete.shape
    if rows < MIN_ANSWERS or items < 2:
        raise DataRefused(
            f"{rows} complete rows of {items} items; reliability needs {MIN_ANSWERS} rows of 2"
        )
    values = complete.to_numpy(float)
    alpha = _alpha(values)
    free = (rows - 1, (rows - 1) * (items - 1))
    low, high = (1 - (1 - alpha) * f.ppf(p, *free) for p in (0.975, 0.025))
    without = {
        str(name): _alpha(np.delete(values, column, 1)) if items > 2 else np.nan
        for column, name in enumerate(complete)
    }
    return Reliability(Interval(alpha, float(low), float(high)), without, rows)


def check_items(answers: pd.DataFrame) -> None:
    """Raise DataRefused for items that never vary: their correlations are undefined."""
    constant = [str(name) for name, steps in answers.nunique().items() if steps < 2]
    if constant:
        raise DataRefused(
            f"{', '.join(constant)}: every answer is the same; an item must vary to be related to others"
        )


def _alpha(values: Floats) -> float:
    items = values.shape[1]
    covariance = np.cov(values, rowvar=False)
    return float(items / (items - 1) * (1 - np.trace(covariance) / covariance.sum()))


def _count_options(answers: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Return the index of the option of each answer, and the count of each option."""
    steps, index, counts = np.unique(answers, return_inverse=True, return_counts=True)
    if len(steps) > MAX_STEPS:
        raise DataRefused(
            f"an item has {len(steps)} different answers; polychoric correlations are for at most "
            f"{MAX_STEPS} steps, take spearman"
        )
    return index.ravel(), counts.astype(float)


def _bivariate_normal_cdf(h: Floats, k: Floats, rho: float) -> Floats:
    """Return the probability that two correlated standard normals lie below h and k (Plackett 1954)."""
    from scipy.stats import norm

    half = np.arcsin(rho) / 2
    angle = half * (1 + _NODES)[:, None, None]
    density = np.exp(-(h**2 + k**2 - 2 * h * k * np.sin(angle)) / (2 * np.cos(angle) ** 2))
    area = half * np.tensordot(_SHARES, density, 1) / (2 * np.pi)
    return np.asarray(norm.cdf(h) * norm.cdf(k) + area)


def _make_positive_definite(matrix: pd.DataFrame) -> pd.DataFrame:
    """Return the matrix, with negative eigenvalues clipped and the diagonal rescaled to 1."""
    values, vectors = np.linalg.eigh(matrix.to_numpy(float))
    if values[0] >= 0:
        return matrix
    clipped = (vectors * np.clip(values, 1e-6, None)) @ vectors.T
    scale = np.sqrt(np.diag(clipped))
    return pd.DataFrame(clipped / np.outer(scale, scale), matrix.index, matrix.columns)
