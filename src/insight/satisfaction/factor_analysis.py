"""Which few things lie behind many answers: their number by parallel analysis, then factors."""

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
#: So many complete rows for each item, at the least.
ROWS_PER_ITEM = 5
#: An item belongs to a factor from this loading on.
MIN_LOADING = 0.4


@dataclass(frozen=True)
class ParallelAnalysis:
    """Eigenvalues of the answers beside those of noise of the same size (the 95th percentile)."""

    eigenvalues: Floats
    noise: Floats

    @property
    def factors(self) -> int:
        """How many eigenvalues in a row are larger than those of noise."""
        above = self.eigenvalues > self.noise
        return int(np.argmin(above)) if not above.all() else len(above)


@dataclass(frozen=True)
class FactorSolution:
    """What was found: the loading of each item on each factor, and the share of its variance told.

    `explained` is each factor's share of the variance of all items; `items` names for each factor
    those that load at least 0.4 on it most of all. `scores` has a row for each row of answers, NaN
    where one is incomplete, mean 0.
    """

    loadings: pd.DataFrame
    communality: pd.Series
    explained: pd.Series
    items: dict[str, list[str]]
    scores: pd.DataFrame
    parallel: ParallelAnalysis


def run_parallel_analysis(answers: pd.DataFrame, seed: int = 0) -> ParallelAnalysis:
    """The eigenvalues of the correlations, beside those of answers shuffled item by item.

    Horn (1965) with permutations: noise has the very distributions of the items. Spearman's
    correlations of complete rows. Raises DataRefused with too few rows.
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
    """The factors behind items, as many as parallel analysis finds unless `count` says.

    Principal axes of the polychoric correlations (Spearman's for items of many steps), rotated; each
    factor points the way most of its items do. Raises DataRefused where noise explains everything.
    """
    complete = _complete(answers)
    found = run_parallel_analysis(answers)
    count = found.factors if count is None else count
    if count < 1:
        raise DataRefused(
            f"no factor lies behind {', '.join(map(str, answers.columns))}: the answers are no more "
            "alike than shuffled ones; ask more people or related questions"
        )
    fine = complete.nunique().max() > 11
    correlation = correlate_items(complete, "spearman" if fine else "polychoric")
    names = [f"factor_{i + 1}" for i in range(count)]
    loadings = pd.DataFrame(
        _rotated(correlation.to_numpy(float), count, rotation, len(complete)),
        answers.columns, names,
    )  # fmt: skip
    loadings = _in_order(loadings)
    return FactorSolution(
        loadings=loadings,
        communality=(loadings**2).sum(axis=1),
        explained=(loadings**2).mean(),
        items=_items(loadings),
        scores=_scores(answers, correlation, loadings),
        parallel=found,
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
    """Loadings by principal axes, rotated where there is something to rotate."""
    from statsmodels.multivariate.factor import Factor  # slow to import, and only needed here

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an axis that has not settled is still the best there is
        fitted = Factor(corr=correlation, n_factor=count, method="pa", nobs=rows).fit()
        if count > 1:
            fitted.rotate(rotation)
    return np.asarray(fitted.loadings, np.float64)


def _in_order(loadings: pd.DataFrame) -> pd.DataFrame:
    """The strongest factor first, each the right way up."""
    names = list(loadings.columns)
    upright = loadings * np.where(loadings.sum() < 0, -1.0, 1.0)
    order = (upright**2).sum().sort_values(ascending=False, kind="stable").index
    return upright[order].set_axis(names, axis=1)


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
    """Regression scores (Thurstone 1935) from standardised answers."""
    standard = (answers - answers.mean()) / answers.std()
    weights = np.linalg.pinv(correlation.to_numpy(float)) @ loadings.to_numpy(float)
    return pd.DataFrame(standard.to_numpy(float) @ weights, answers.index, loadings.columns)
