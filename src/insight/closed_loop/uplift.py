"""Uplift: score customers by the effect of an action, evaluate by Qini, choose under a budget.

Qini: customers are sorted by score; the curve counts the extra outcomes of the treated among the first
ones, and the coefficient is the area between it and the line of random targeting (Radcliffe 2007).
Customers with equal scores are taken together, because their order in the log carries no information.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.errors import DataRefused
from insight.complaints.attributable_fraction import assign_folds
from models.evaluation.bootstrap import Interval, percentile_interval

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: Smallest group from which differences between customers can be learned.
FEWEST = 500
DRAWS = 200


@dataclass(frozen=True)
class Qini:
    """How well a score ranks customers by the effect of the action, with its 95% interval.

    `coefficient` is the mean height of the curve above the line, in outcomes per customer of the log; 0
    is random. `shares` and `gains` are the curve: extra outcomes per customer of the log if that share
    is treated.
    """

    coefficient: Interval
    shares: Floats
    gains: Floats

    @property
    def sorts(self) -> bool:
        """Whether the score is better than random."""
        return self.coefficient.low > 0


def score_uplift(outcome: Floats, treated: Bools, before: Floats, seed: int = 0) -> Floats:
    """Estimate the effect of the action on each customer's outcome, cross-fitted.

    The difference of two ridge regressions, of the treated and of the hold-out group, on `before`
    (standardised columns) with squares and products. Raises DataRefused for a log that is too small.
    """
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    groups = int(treated.sum()), int((~treated).sum())
    if min(groups) < FEWEST:
        raise DataRefused(
            f"{groups[0]:,} treated and {groups[1]:,} held out; an uplift score takes at least "
            f"{FEWEST} of each"
        )
    fold = assign_folds(np.arange(len(outcome)), seed)
    score = np.empty(len(outcome))
    for held in np.unique(fold):
        new, old = fold == held, fold != held
        predicted = [
            make_pipeline(
                PolynomialFeatures(2, include_bias=False), StandardScaler(),
                RidgeCV(np.logspace(0, 5, 11)),
            ).fit(before[old & group], outcome[old & group]).predict(before[new])
            for group in (treated, ~treated)
        ]  # fmt: skip
        score[new] = predicted[0] - predicted[1]
    return score


def measure_qini(
    score: Floats, outcome: Floats, treated: Bools, seed: int = 0, points: int = 100
) -> Qini:
    """Compute the Qini curve of a score on a randomised log; its interval is bootstrapped.

    Raises DataRefused for missing scores, and for a log without treated or held-out customers.
    """
    if not np.isfinite(score).all():
        raise DataRefused(
            f"{int((~np.isfinite(score)).sum()):,} of {len(score):,} customers have no score; leave "
            "them out, or score them"
        )
    if treated.all() or not treated.any():
        raise DataRefused(
            f"{int(treated.sum()):,} of {len(treated):,} customers were treated; a curve takes "
            "treated and held-out customers"
        )
    order = np.argsort(-score, kind="stable")
    y, t = outcome[order], treated[order].astype(float)
    last = np.flatnonzero(np.r_[np.diff(score[order]) != 0, True])
    gains = _curve(y, t, np.ones(len(y)), last)
    rng = np.random.default_rng(seed)
    n = len(y)
    drawn = []
    for _ in range(DRAWS):
        times = np.bincount(rng.integers(0, n, n), minlength=n).astype(float)
        drawn.append(_area(_curve(y, t, times, last)))
    places = np.unique(np.linspace(0, n, points + 1).astype(int))
    coefficient = percentile_interval(_area(gains), np.array(drawn))
    return Qini(coefficient, places / n, np.concatenate([[0.0], gains])[places])


def _curve(y: Floats, t: Floats, times: Floats, last: NDArray[np.int64]) -> Floats:
    """Extra outcomes per customer of the log if only the first customers are treated.

    `last` are the indices of the last customer of each score: between them the curve is linear.
    """
    treated, held_out = np.cumsum(times * t), np.cumsum(times * (1 - t))
    of_treated, of_held_out = np.cumsum(times * t * y), np.cumsum(times * (1 - t) * y)
    ratio = np.divide(treated, held_out, out=np.zeros_like(treated), where=held_out > 0)
    gains = (of_treated - of_held_out * ratio) / max(treated[-1], 1.0)
    return np.interp(np.arange(1, len(y) + 1), np.r_[0, last + 1], np.r_[0.0, gains[last]])


def _area(gains: Floats) -> float:
    """The mean height of the curve above the straight line to its end."""
    line = gains[-1] * np.arange(1, len(gains) + 1) / len(gains)
    return float(np.mean(gains - line))


@dataclass(frozen=True)
class TreatmentPlan:
    """Customers to treat, by index and best first, with the total cost and the expected gain."""

    chosen: NDArray[np.int64]
    cost: float
    gain: float


def plan_treatments(score: Floats, cost: Floats, budget: float) -> TreatmentPlan:
    """Choose the customers to treat under a budget, by gain per cost, with a positive gain only.

    `score` is the gain of treating each customer, `cost` its cost in the currency of the budget. Raises
    DataRefused for a budget that is too small for anybody, costs that are not positive, and missing
    scores.
    """
    if np.isnan(score).any():
        raise DataRefused(
            f"{int(np.isnan(score).sum()):,} of {len(score):,} customers have no score; leave them out"
        )
    if not (cost > 0).all():
        raise DataRefused(f"the lowest cost of an action is {cost.min():g}; it should be above 0")
    useful = np.flatnonzero(score > 0)
    order = useful[np.argsort(-(score / cost)[useful], kind="stable")]
    total, chosen = 0.0, []
    for place in order:
        if total + cost[place] <= budget:
            total += float(cost[place])
            chosen.append(int(place))
    if len(useful) and not chosen:
        raise DataRefused(
            f"a budget of {budget:g} is too small: the cheapest customer with a gain costs "
            f"{cost[useful].min():g}"
        )
    return TreatmentPlan(np.array(chosen, np.int64), total, float(score[chosen].sum()))
