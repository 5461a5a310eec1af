"""Exploratory factor analysis: number of factors by parallel analysis, rotated loadings, scores."""

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import DataRefused
from insight.satisfaction.psychometrics import check_items, correlate_items

Floats = NDArray[np.float64]

DRAWS = 200
#: Complete rows needed per item.
ROWS_PER_ITEM = 5
#: Loading from which an item belongs to a factor.
MIN_LOADING = 0.4


@dataclass(frozen=True)
class ParallelAnalysis:
    """Eigenvalues of the answers, and the 95th percentile of those of permuted answers."""

    eigenvalues: Floats
    noise: Floats

    @property
    def factors(self) -> int:
        """Return the number of leading eigenvalues above those of permuted answers."""
        above = self.eigenvalues > self.noise
        return int(np.argmin(above)) if not above.all() else len(above)


@dataclass(frozen=True)
class FactorSolution:
    """Rotated loadings of items on factors, and the communality of each item.

    `explained` is each factor's share of the variance of all items; `items` lists for each factor the
    items whose largest loading it is, if at least 0.4. `scores` has a row per row of answers, NaN for
    incomplete ones, mean 0.
    """

    loadings: pd.DataFrame
    communality: pd.Series
    explained: pd.Series
    items: dict[str, list[str]]
    scores: pd.DataFrame
    parallel: ParallelAnalysis


def run_parallel_analysis(answers: pd.DataFrame, seed: int = 0) -> ParallelAnalysis:
    """Compare the eigenvalues of the correlations with those of answers permuted within each item.

    Horn (1965) with permutations, which keep each item's distribution. Spearman correlations of complete
    rows. Raises DataRefused with too few rows.
    """
    complete = _complete(answers)
    ranks = complete.rank().to_numpy(float)
    rng = np.random.default_rng(seed)
    drawn = [_eigenvalues(rng.permuted(ranks, axis=0)) for _ in range(DRAWS)]
    return ParallelAnalysis(_eigenvalues(ranks), np.quantile(drawn, 0.95, axis=0))


def fit_factors(
    answers: pd.DataFrame,
    count: int | None = None,
    rotation: Literal["varimax", "promax", "oblimin"] = "varimax",
) -> FactorSolution:
    """Fit factors to items, as many as parallel analysis finds unless `count` is given.

    Principal axis factoring of polychoric correlations (Spearman for items with many answer options),
    rotated; each factor is signed so that most of its items load positively. Raises DataRefused if no
    factor exceeds chance.
    """
    complete = _complete(answers)
    parallel = run_parallel_analysis(answers)
    count = parallel.factors if count is None else count
    if count < 1:
        raise DataRefused(
            f"no factor lies behind {', '.join(map(str, answers.columns))}: the answers are no more "
            "alike than shuffled ones; ask more people or related questions"
        )
    many_options = complete.nunique().max() > 11
    correlation = correlate_items(complete, "spearman" if many_options else "polychoric")
    names = [f"factor_{i + 1}" for i in range(count)]
    loadings = pd.DataFrame(
        _rotated(correlation.to_numpy(float), count, rotation, len(complete)),
        answers.columns, names,
    )  # fmt: skip
    loadings = _order_factors(loadings)
    return FactorSolution(
        loadings=loadings,
        communality=(loadings**2).sum(axis=1),
        explained=(loadings**2).mean(),
        items=_items(loadings),
        scores=_scores(answers, correlation, loadings),
        parallel=parallel,
    )


def _complete(answers: pd.DataFrame) -> pd.DataFrame:
    complete = answers.dropna()
    need = max(50, ROWS_PER_ITEM * answers.shape[1])
    if len(complete) < need or answers.shape[1] < 3:
        raise DataRefused(
            f"{len(complete)} complete rows of {answers.shape[1]} items; factors need {need} rows of "
            "at least 3 items"
        )
    check_items(complete)
    return complete


def _eigenvalues(values: Floats) -> Floats:
    return np.asarray(np.linalg.eigvalsh(np.corrcoef(values, rowvar=False))[::-1])


def _rotated(correlation: Floats, count: int, rotation: str, rows: int) -> Floats:
    """Return principal axis loadings, rotated if there are two factors or more."""
    from statsmodels.multivariate.factor import Factor  # slow to import, and only needed here

    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # a solution that has not converged is still the best available
        fitted = Factor(corr=correlation, n_factor=count, method="pa", nobs=rows).fit()
        if count > 1:
            fitted.rotate(rotation)
    return np.asarray(fitted.loadings, np.float64)


def _order_factors(loadings: pd.DataFrame) -> pd.DataFrame:
    """Sort factors by explained variance and make most loadings positive."""
    names = list(loadings.columns)
    signed = loadings * np.where(loadings.sum() < 0, -1.0, 1.0)
    order = (signed**2).sum().sort_values(ascending=False, kind="stable").index
    return signed[order].set_axis(names, axis=1)


def _items(loadings: pd.DataFrame) -> dict[str, list[str]]:
    strongest = loadings.abs().idxmax(axis=1)
    clear = loadings.abs().max(axis=1) >= MIN_LOADING
    return {
        str(name): [str(i) for i in loadings.index if clear[i] and strongest[i] == name]
        for name in loadings
    }


def _scores(
    answers: pd.DataFrame, correlation: pd.DataFrame, loadings: pd.DataFrame
) -> pd.DataFrame:
    """Return regression scores (Thurstone 1935) from standardised answers."""
    standard = (answers - answers.mean()) / answers.std()
    weights = np.linalg.pinv(correlation.to_numpy(float)) @ loadings.to_numpy(float)
    return pd.DataFrame(standard.to_numpy(float) @ weights, answers.index, loadings.columns)
