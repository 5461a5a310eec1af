"""How much of an outcome would not have happened without a cause: the attributable share.

The cause's rows are compared with rows without it that are alike in all confounders, by a doubly
robust estimate: right if either the model of the outcome without the cause or the model of who
meets the cause is right (Robins, Rotnitzky and Zhao 1994), both fitted on other customers
(cross-fitting). What no table shows stays a confounder: `e_value` says how strong it would have to
be (VanderWeele and Ding 2017).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.errors import DataRefused
from models.evaluation.bootstrap import Interval, percentile_interval

Floats = NDArray[np.float64]

#: Fewer rows than this, with the cause or without, or fewer cases among them, tell nothing.
MIN_ROWS = 30
FOLDS = 4
DRAWS = 500
#: Rows likelier than this to meet the cause have nobody to be compared with.
MAX_PROPENSITY = 0.98


@dataclass(frozen=True)
class Attribution:
    """What a cause does to an outcome.

    `share` is the part of all cases that would not have happened without it (population-attributable
    share), `effect` the rise of the probability where it was met, each with a 95 % interval over
    customers; `naive_effect` is the plain difference of the two rates, `exposed` the share of rows
    that met it, `beyond` the share of these that had nobody alike.
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
        """Whether the interval leaves out zero."""
        return self.share.low > 0 or self.share.high < 0


@dataclass(frozen=True)
class ComparisonRows:
    """Rows to compare: outcome 0/1, confounders (rows, columns), weights, and whose they are."""

    outcome: Floats
    confounders: Floats
    weight: Floats
    customer: NDArray[np.int64]

    def only(self, part: NDArray[np.bool_]) -> "ComparisonRows":
        """A part of the rows."""
        return ComparisonRows(
            self.outcome[part], self.confounders[part], self.weight[part], self.customer[part]
        )


def estimate_attribution(
    rows: ComparisonRows, met: NDArray[np.bool_], among: NDArray[np.bool_] | None = None, seed: int = 0
) -> Attribution:
    """The share of the outcome that a cause accounts for, adjusted for the confounders.

    Rows are compared `among` those that could meet the cause (default: all); the share is of the
    cases of all rows. Raises DataRefused when too few rows met the cause or did not, or too few cases
    are among them.
    """
    among = np.ones(len(met), np.bool_) if among is None else among
    _check(rows.only(among), met[among])
    chance, excess = np.zeros(len(met)), np.zeros(len(met))
    chance[among], without = _nuisances(rows.only(among), met[among], seed)
    odds = np.minimum(chance[among], MAX_PROPENSITY) / (1 - np.minimum(chance[among], MAX_PROPENSITY))
    miss = rows.outcome[among] - without
    excess[among] = rows.weight[among] * np.where(met[among], miss, -odds * miss)
    cases, exposed = rows.weight * rows.outcome, rows.weight * met
    sums = _sums(rows.customer, excess, cases, exposed, rows.weight)
    drawn = _drawn(sums, seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = percentile_interval(excess.sum() / cases.sum(), drawn[:, 0] / drawn[:, 1])
        effect = percentile_interval(excess.sum() / exposed.sum(), drawn[:, 0] / drawn[:, 2])
    rate_met = float(cases[met].sum() / exposed.sum())
    rest = among & ~met
    rate_not = float(cases[rest].sum() / rows.weight[rest].sum())
    return Attribution(
        rows=len(met), met=int(met.sum()), exposed=float(exposed.sum() / rows.weight.sum()),
        rate=float(cases.sum() / rows.weight.sum()), rate_met=rate_met, share=share, effect=effect,
        naive_effect=rate_met - rate_not, e_value=_e_value(rate_met, effect.value),
        beyond=float(exposed[chance > MAX_PROPENSITY].sum() / exposed.sum()),
    )  # fmt: skip


def _check(rows: ComparisonRows, met: NDArray[np.bool_]) -> None:
    sides = (("with the cause", met), ("without it", ~met))
    for side, part in sides:
        if part.sum() < MIN_ROWS:
            raise DataRefused(f"{int(part.sum())} rows {side}; a comparison takes {MIN_ROWS}")
    cases = int(rows.outcome[~met].sum())
    if cases < MIN_ROWS:
        raise DataRefused(f"{cases} cases without the cause; a comparison takes {MIN_ROWS}")


def assign_folds(customer: NDArray[np.int64], seed: int = 0) -> NDArray[np.int64]:
    """The fold of each row: a customer's rows are in the same one."""
    code = np.unique(customer, return_inverse=True)[1].ravel()
    rng = np.random.default_rng(seed)
    return rng.permutation(int(code.max()) + 1)[code] % FOLDS


def _nuisances(rows: ComparisonRows, met: NDArray[np.bool_], seed: int) -> tuple[Floats, Floats]:
    """The chance of meeting the cause, and of the outcome without it, by models of other customers."""
    chance, without = np.empty(len(met)), np.empty(len(met))
    fold = assign_folds(rows.customer, seed)
    for held in range(FOLDS):
        new, old = fold == held, fold != held
        chance[new] = fit_probability(rows, met.astype(float), old)(rows.confounders[new])
        without[new] = fit_probability(rows, rows.outcome, old & ~met)(rows.confounders[new])
    return chance, without


def fit_probability(rows: ComparisonRows, label: Floats, part: NDArray[np.bool_]) -> Callable[[Floats], Floats]:
    """A logistic regression on a part of the rows, with a light ridge; constant if all are alike."""
    from sklearn.linear_model import LogisticRegression

    y, weight = label[part], rows.weight[part]
    if y.min() == y.max():
        level = float(y[0])
        return lambda new: np.full(len(new), level)
    model: Any = LogisticRegression(C=1.0, max_iter=300)
    model.fit(rows.confounders[part], y, sample_weight=weight / weight.mean())
    return lambda new: np.asarray(model.predict_proba(new)[:, 1])


def _sums(customer: NDArray[np.int64], *columns: Floats) -> Floats:
    """The columns summed up by customer: they are drawn whole."""
    code = np.unique(customer, return_inverse=True)[1].ravel()
    return np.stack([np.bincount(code, column) for column in columns], axis=1)


def _drawn(sums: Floats, seed: int) -> Floats:
    """The column sums over customers drawn again, `DRAWS` times.

    The models are not refitted: their errors reach a doubly robust estimate only as a product.
    """
    rng = np.random.default_rng(seed)
    again = np.empty((DRAWS, sums.shape[1]))
    for place in range(DRAWS):
        again[place] = (
            np.bincount(rng.integers(0, len(sums), len(sums)), minlength=len(sums)) @ sums
        )
    return again


def _e_value(rate_met: float, effect: float) -> float:
    """How strongly a hidden confounder must go with cause and outcome to explain it (a risk ratio)."""
    without = rate_met - effect
    if without <= 0:
        return float("inf")
    ratio = max(rate_met, without) / max(min(rate_met, without), 1e-9)
    return float(ratio + np.sqrt(ratio * (ratio - 1)))
