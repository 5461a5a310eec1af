"""Whom an action moves most: an uplift score, its Qini curve, and whom to treat under a budget.

Qini: treated and left-alone customers are sorted by score; the curve counts the extra outcomes among
the first ones, and the coefficient is the area between it and the line of treating anybody (Radcliffe
2007). Customers of one score come together: their order in the log says nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.errors import DataRefused
from insight.complaints.attributable_fraction import folds_of
from models.evaluation.bootstrap import Interval, percentile_interval

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: Fewer customers than this on either side teach no differences between customers.
FEWEST = 500
DRAWS = 200


@dataclass(frozen=True)
class Qini:
    """How well a score sorts customers by what the action does to them, with 95 % interval.

    `coefficient` is the mean height of the curve over the line, in outcomes per customer of the log; 0
    is no better than chance. `shares` and `gains` are the curve: extra outcomes per customer of the log
    when that share is treated.
    """

    coefficient: Interval
    shares: Floats
    gains: Floats

    @property
    def sorts(self) -> bool:
        """Whether the score is better than drawing lots."""
        return self.coefficient.low > 0


def uplift_scores(outcome: Floats, treated: Bools, before: Floats, seed: int = 0) -> Floats:
    """What the action adds to each customer's outcome, by models of other customers.

    One regression for the treated, one for those left alone, with squares and products of `before`
    (standardised columns), both shrunk: their difference. Raises DataRefused for a log too small.
    """
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    sides = int(treated.sum()), int((~treated).sum())
    if min(sides) < FEWEST:
        raise DataRefused(
            f"{sides[0]:,} treated and {sides[1]:,} left alone; to tell customers apart by what an "
            f"action does to them takes at least {FEWEST} of each"
        )
    fold = folds_of(np.arange(len(outcome)), seed)
    score = np.empty(len(outcome))
    for held in np.unique(fold):
        new, old = fold == held, fold != held
        said = [
            make_pipeline(
                PolynomialFeatures(2, include_bias=False), StandardScaler(),
                RidgeCV(np.logspace(0, 5, 11)),
            ).fit(before[old & side], outcome[old & side]).predict(before[new])
            for side in (treated, ~treated)
        ]  # fmt: skip
        score[new] = said[0] - said[1]
    return score


def qini(score: Floats, outcome: Floats, treated: Bools, seed: int = 0, points: int = 100) -> Qini:
    """The Qini curve of a score on a log drawn by lot, its coefficient with a bootstrap interval.

    Raises DataRefused for missing scores, and for a log without anybody treated or left alone.
    """
    if not np.isfinite(score).all():
        raise DataRefused(
            f"{int((~np.isfinite(score)).sum()):,} of {len(score):,} customers have no score; leave "
            "them out, or score them"
        )
    if treated.all() or not treated.any():
        raise DataRefused(
            f"{int(treated.sum()):,} of {len(treated):,} customers were treated; a curve takes some of "
            "either side"
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
    """Extra outcomes per customer of the log when the first ones are treated, after each customer.

    `last` are the places where a score ends: between them the curve is straight.
    """
    with_, without = np.cumsum(times * t), np.cumsum(times * (1 - t))
    good, alone = np.cumsum(times * t * y), np.cumsum(times * (1 - t) * y)
    ratio = np.divide(with_, without, out=np.zeros_like(with_), where=without > 0)
    gains = (good - alone * ratio) / max(with_[-1], 1.0)
    return np.interp(np.arange(1, len(y) + 1), np.r_[0, last + 1], np.r_[0.0, gains[last]])


def _area(gains: Floats) -> float:
    """The mean height of the curve over the straight line to its end."""
    line = gains[-1] * np.arange(1, len(gains) + 1) / len(gains)
    return float(np.mean(gains - line))


@dataclass(frozen=True)
class Plan:
    """Whom to treat first: places of the customers, best first, what it costs and should bring."""

    chosen: NDArray[np.int64]
    cost: float
    gain: float


def plan(score: Floats, cost: Floats, budget: float) -> Plan:
    """The customers to treat under a budget: most gain for the money first, none who would lose by it.

    `score` is the gain of treating each, `cost` what it takes, in the budget's currency. Raises
    DataRefused for a budget that nobody can be treated with, for costs that are not positive, and for
    missing scores.
    """
    if np.isnan(score).any():
        raise DataRefused(
            f"{int(np.isnan(score).sum()):,} of {len(score):,} customers have no score; leave them out"
        )
    if not (cost > 0).all():
        raise DataRefused(f"the lowest cost of an action is {cost.min():g}; it should be above 0")
    worth = np.flatnonzero(score > 0)
    order = worth[np.argsort(-(score / cost)[worth], kind="stable")]
    total, chosen = 0.0, []
    for place in order:
        if total + cost[place] <= budget:
            total += float(cost[place])
            chosen.append(int(place))
    if len(worth) and not chosen:
        raise DataRefused(
            f"a budget of {budget:g} treats nobody: the cheapest customer worth it costs "
            f"{cost[worth].min():g}"
        )
    return Plan(np.array(chosen, np.int64), total, float(score[chosen].sum()))
