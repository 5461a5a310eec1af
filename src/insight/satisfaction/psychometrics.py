"""What a set of answers looks like: spread, correlations fit for answers in few steps, reliability."""

from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.stats import f, norm

from features.errors import DataRefused
from models.evaluation.bootstrap import Interval

Floats = NDArray[np.float64]
CorrelationMethod = Literal["polychoric", "spearman", "kendall"]

MIN_ANSWERS = 30
#: An item of more steps than this is as good as continuous: polychoric correlations are not for it.
MAX_STEPS = 11
#: Beyond this a correlation of two items cannot be told from 1.
MAX_CORRELATION = 0.99
_NODES, _SHARES = np.polynomial.legendre.leggauss(24)


def describe_items(answers: pd.DataFrame) -> pd.DataFrame:
    """One row an item: `answers`, `missing`, `mean`, `sd`, `median`, `q1`, `q3`, and the shares at the
    lowest and highest value given, `floor` and `ceiling` (over 15 % hides what lies beyond).
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


def correlate_items(answers: pd.DataFrame, method: CorrelationMethod = "polychoric") -> pd.DataFrame:
    """The correlation of every pair of items, from the rows that answered both.

    Polychoric: of the normal variables cut into the steps of the answers (Olsson 1979, two-step),
    which few steps do not shrink; where pairs contradict each other (a negative eigenvalue) the
    nearest possible matrix is told. Raises DataRefused for an item that never varies, for fewer than
    30 common answers of a pair, and for polychoric correlations of items of more than 11 steps.
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
    return _possible(matrix) if method == "polychoric" else matrix


def polychoric_correlation(first: Floats, second: Floats) -> float:
    """The correlation of two normal variables of which only steps are seen; within ±0.99."""
    rows, counts = _steps(first)
    columns, others = _steps(second)
    table = np.zeros((len(counts), len(others)))
    np.add.at(table, (rows, columns), 1)
    cuts = [np.r_[-8.0, norm.ppf(np.cumsum(c[:-1]) / c.sum()), 8.0] for c in (counts, others)]

    def surprise(rho: float) -> float:
        below = _bivariate_normal_cdf(cuts[0][:, None], cuts[1][None, :], rho)
        cell = np.diff(np.diff(below, axis=0), axis=1)
        return float(-(table * np.log(np.clip(cell, 1e-12, None))).sum())

    return float(minimize_scalar(surprise, bounds=(-MAX_CORRELATION, MAX_CORRELATION), method="bounded").x)


def partial_correlations(correlation: pd.DataFrame) -> pd.DataFrame:
    """What is left between two items when all others are held fixed.

    Raises DataRefused where an item follows from the others.
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
    """Cronbach's alpha with its 95 % interval, and what it would be without each item."""

    alpha: Interval
    without: dict[str, float]
    answers: int


def cronbach_alpha(answers: pd.DataFrame) -> Reliability:
    """How well items measure one thing, from complete rows; items must point the same way.

    The interval is Feldt's (1965), for items with like variances. Raises DataRefused for one item,
    fewer than 30 complete rows, or an item that never varies.
    """
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
        str(name): _alpha(np.delete(values, place, 1)) if items > 2 else np.nan
        for place, name in enumerate(complete)
    }
    return Reliability(Interval(alpha, float(low), float(high)), without, rows)


def check_items(answers: pd.DataFrame) -> None:
    """Refuse items that never vary: they correlate with nothing."""
    still = [str(name) for name, steps in answers.nunique().items() if steps < 2]
    if still:
        raise DataRefused(
            f"{', '.join(still)}: every answer is the same; an item must vary to be related to others"
        )


def _alpha(values: Floats) -> float:
    items = values.shape[1]
    covariance = np.cov(values, rowvar=False)
    return float(items / (items - 1) * (1 - np.trace(covariance) / covariance.sum()))


def _steps(answers: Floats) -> tuple[NDArray[np.int64], Floats]:
    """The step of each answer and how many each step has."""
    steps, place, counts = np.unique(answers, return_inverse=True, return_counts=True)
    if len(steps) > MAX_STEPS:
        raise DataRefused(
            f"an item has {len(steps)} different answers; polychoric correlations are for at most "
            f"{MAX_STEPS} steps, take spearman"
        )
    return place.ravel(), counts.astype(float)


def _bivariate_normal_cdf(h: Floats, k: Floats, rho: float) -> Floats:
    """The chance that two standard normals of a correlation lie below h and k (Plackett 1954)."""
    half = np.arcsin(rho) / 2
    angle = half * (1 + _NODES)[:, None, None]
    density = np.exp(-(h**2 + k**2 - 2 * h * k * np.sin(angle)) / (2 * np.cos(angle) ** 2))
    area = half * np.tensordot(_SHARES, density, 1) / (2 * np.pi)
    return np.asarray(norm.cdf(h) * norm.cdf(k) + area)


def _possible(matrix: pd.DataFrame) -> pd.DataFrame:
    """The matrix itself, or without its negative eigenvalues, scaled back to ones on the diagonal."""
    values, vectors = np.linalg.eigh(matrix.to_numpy(float))
    if values[0] >= 0:
        return matrix
    mended = (vectors * np.clip(values, 1e-6, None)) @ vectors.T
    scale = np.sqrt(np.diag(mended))
    return pd.DataFrame(mended / np.outer(scale, scale), matrix.index, matrix.columns)
