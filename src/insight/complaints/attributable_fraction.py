"""Attributable fraction: the share of an outcome that would not have happened without a cause.

Exposed rows are compared with unexposed rows that have the same confounders, by a doubly robust
estimate: consistent if either the outcome model (without exposure) or the exposure model is correct
(Robins, Rotnitzky and Zhao 1994), both fitted on other customers (cross-fitting). Unmeasured confounders
remain: `e_value` says how strong one would have to be (VanderWeele and Ding 2017).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.errors import DataRefused
from models.evaluation.bootstrap import Interval, percentile_interval

Floats = NDArray[np.float64]

#: Exposed rows, unexposed rows, and unexposed cases needed.
MIN_ROWS = 30
FOLDS = 4
DRAWS = 500
#: Exposure probability above which no comparable unexposed rows exist.
MAX_PROPENSITY = 0.98


@dataclass(frozen=True)
class Attribution:
    """The effect of a cause on an outcome.

    `share` is the population-attributable fraction of cases, `effect` the risk difference in the
    exposed, each with a 95% interval over customers. `met` exposed rows are the share `exposed` of all;
    `rate_met` is their outcome rate, `naive_effect` the unadjusted difference of rates, `beyond` the
    share of the exposed without comparable rows.
    """

    rows: int
    met: int
    exposed: float
    rate: float
    rate_met: float
    share: Interval
    effect: Interval
    naive_effect: float
    e_value: float
    beyond: float

    @property
    def certain(self) -> bool:
        """Whether the interval excludes zero."""
        return self.share.low > 0 or self.share.high < 0


@dataclass(frozen=True)
class ComparisonRows:
    """Rows to compare: outcome 0/1, confounders (rows, columns), weights, and the customer of each."""

    outcome: Floats
    confounders: Floats
    weight: Floats
    customer: NDArray[np.int64]

    def select(self, part: NDArray[np.bool_]) -> "ComparisonRows":
        """Return a part of the rows."""
        return ComparisonRows(
            self.outcome[part], self.confounders[part], self.weight[part], self.customer[part]
        )


def estimate_attribution(
    rows: ComparisonRows,
    exposed: NDArray[np.bool_],
    eligible: NDArray[np.bool_] | None = None,
    seed: int = 0,
) -> Attribution:
    """Estimate the share of the outcome attributable to an exposure, adjusted for the confounders.

    Rows are compared among the `eligible`, those that could be exposed (default: all); the share is of
    the cases in all rows. Raises DataRefused for too few exposed or unexposed rows, or too few cases.
    """
    eligible = np.ones(len(exposed), np.bool_) if eligible is None else eligible
    _check(rows.select(eligible), exposed[eligible])
    chance, excess = np.zeros(len(exposed)), np.zeros(len(exposed))
    chance[eligible], without = _fit_nuisances(rows.select(eligible), exposed[eligible], seed)
    odds = np.minimum(chance[eligible], MAX_PROPENSITY) / (
        1 - np.minimum(chance[eligible], MAX_PROPENSITY)
    )
    residual = rows.outcome[eligible] - without
    excess[eligible] = rows.weight[eligible] * np.where(
        exposed[eligible], residual, -odds * residual
    )
    cases, exposed_weight = rows.weight * rows.outcome, rows.weight * exposed
    sums = _sum_by_customer(rows.customer, excess, cases, exposed_weight, rows.weight)
    drawn = _resample_sums(sums, seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = percentile_interval(excess.sum() / cases.sum(), drawn[:, 0] / drawn[:, 1])
        effect = percentile_interval(excess.sum() / exposed_weight.sum(), drawn[:, 0] / drawn[:, 2])
    rate_met = float(cases[exposed].sum() / exposed_weight.sum())
    unexposed = eligible & ~exposed
    rate_unexposed = float(cases[unexposed].sum() / rows.weight[unexposed].sum())
    return Attribution(
        rows=len(exposed), met=int(exposed.sum()),
        exposed=float(exposed_weight.sum() / rows.weight.sum()),
        rate=float(cases.sum() / rows.weight.sum()), rate_met=rate_met, share=share, effect=effect,
        naive_effect=rate_met - rate_unexposed, e_value=_e_value(rate_met, effect.value),
        beyond=float(exposed_weight[chance > MAX_PROPENSITY].sum() / exposed_weight.sum()),
    )  # fmt: skip


def _check(rows: ComparisonRows, exposed: NDArray[np.bool_]) -> None:
    sides = (("with the cause", exposed), ("without it", ~exposed))
    for side, part in sides:
        if part.sum() < MIN_ROWS:
            raise DataRefused(f"{int(part.sum())} rows {side}; a comparison takes {MIN_ROWS}")
    cases = int(rows.outcome[~exposed].sum())
    if cases < MIN_ROWS:
        raise DataRefused(f"{cases} cases without the cause; a comparison takes {MIN_ROWS}")


def assign_folds(customer: NDArray[np.int64], seed: int = 0) -> NDArray[np.int64]:
    """Assign a cross-fitting fold to each row; all rows of a customer are in the same fold."""
    code = np.unique(customer, return_inverse=True)[1].ravel()
    rng = np.random.default_rng(seed)
    return rng.permutation(int(code.max()) + 1)[code] % FOLDS


def _fit_nuisances(
    rows: ComparisonRows, exposed: NDArray[np.bool_], seed: int
) -> tuple[Floats, Floats]:
    """Return the probabilities of exposure, and of the outcome without it; models of other customers."""
    chance, without = np.empty(len(exposed)), np.empty(len(exposed))
    fold = assign_folds(rows.customer, seed)
    for held_out in range(FOLDS):
        new, old = fold == held_out, fold != held_out
        chance[new] = fit_probability(rows, exposed.astype(float), old)(rows.confounders[new])
        without[new] = fit_probability(rows, rows.outcome, old & ~exposed)(rows.confounders[new])
    return chance, without


def fit_probability(
    rows: ComparisonRows, label: Floats, part: NDArray[np.bool_]
) -> Callable[[Floats], Floats]:
    """Fit a ridge logistic regression to a part of the rows; constant if all labels are equal."""
    from sklearn.linear_model import LogisticRegression

    y, weight = label[part], rows.weight[part]
    if y.min() == y.max():
        level = float(y[0])
        return lambda new: np.full(len(new), level)
    model: Any = LogisticRegression(C=1.0, max_iter=300)
    model.fit(rows.confounders[part], y, sample_weight=weight / weight.mean())
    return lambda new: np.asarray(model.predict_proba(new)[:, 1])


def _sum_by_customer(customer: NDArray[np.int64], *columns: Floats) -> Floats:
    """Sum the columns by customer: the bootstrap draws whole customers."""
    code = np.unique(customer, return_inverse=True)[1].ravel()
    return np.stack([np.bincount(code, column) for column in columns], axis=1)


def _resample_sums(sums: Floats, seed: int) -> Floats:
    """Return the column sums over `DRAWS` resamples of the customers.

    The models are not refitted: their errors enter a doubly robust estimate only as a product.
    """
    rng = np.random.default_rng(seed)
    resampled = np.empty((DRAWS, sums.shape[1]))
    for draw in range(DRAWS):
        resampled[draw] = (
            np.bincount(rng.integers(0, len(sums), len(sums)), minlength=len(sums)) @ sums
        )
    return resampled


def _e_value(rate_met: float, effect: float) -> float:
    """Return how strong a hidden confounder must be to explain the effect (a risk ratio)."""
    without = rate_met - effect
    if without <= 0:
        return float("inf")
    ratio = max(rate_met, without) / max(min(rate_met, without), 1e-9)
    return float(ratio + np.sqrt(ratio * (ratio - 1)))
