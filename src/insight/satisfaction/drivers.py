"""Drivers of satisfaction: effects, importance with intervals, importance-performance quadrants."""

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import DataRefused
from insight.satisfaction.psychometrics import check_items

Floats = NDArray[np.float64]

#: Importance compares all 2^12 subsets of drivers.
MAX_DRIVERS = 12
ROWS_PER_DRIVER = 10
RESAMPLES = 200
#: Quadrants by (importance, performance) high or low. Martilla and James (1977).
QUADRANTS = {
    (True, False): "concentrate here",
    (True, True): "keep up the good work",
    (False, False): "low priority",
    (False, True): "possible overkill",
}


@dataclass(frozen=True)
class DriverAnalysis:
    """The drivers of an outcome, the most important first.

    `table` has a row per driver: `effect` (points of the outcome per point of the driver, the others
    held fixed), `importance` (share of the explained variance; they sum to 1), `performance` (mean),
    each with `_low` and `_high` (95%), `quadrant`, and `clear`: whether the intervals lie within that
    quadrant. `explained` is R² of all drivers; `incomplete` rows lacked an answer and were left out.
    """

    table: pd.DataFrame
    explained: float
    rows: int
    incomplete: int


def analyse_drivers(
    answers: pd.DataFrame, outcome: str, weight: "pd.Series[float] | None" = None
) -> DriverAnalysis:
    """Analyse how the column `outcome` depends on the other columns; in all of them more is better.

    Effects: (weighted) least squares with heteroscedasticity-robust intervals (HC3). Importance: a
    driver's gain in R² averaged over all orders of entry (Lindeman, Merenda and Gold 1980), which is its
    Shapley value, with bootstrap intervals. Association is not causation: satisfied customers rate
    everything better. Raises DataRefused for too few rows, more than 12 drivers, a constant driver or
    one that is a linear combination of the others.
    """
    if outcome not in answers:
        raise DataRefused(f"no column {outcome} among {', '.join(map(str, answers.columns))}")
    complete = answers.dropna()
    names = [str(name) for name in answers if name != outcome]
    _check(complete, names, outcome)
    w: Floats = np.ones(len(complete))
    if weight is not None:
        w = np.asarray(weight.loc[complete.index], np.float64)
    x, y = complete[names].to_numpy(np.float64), complete[outcome].to_numpy(np.float64)
    shares, drawn = _importance(x, y, w)
    performance = np.average(x, axis=0, weights=w)
    table = (
        _effects(x, y, w, names)
        .join(_with_interval("importance", shares, drawn[0], names))
        .join(_with_interval("performance", performance, drawn[1], names))
    )
    table = _assign_quadrants(table).sort_values("importance", ascending=False)
    explained = float(_gains(_correlation(x, y, w)).sum())
    return DriverAnalysis(table, explained, len(complete), len(answers) - len(complete))


def shapley_shares(x: Floats, y: Floats, weight: Floats | None = None) -> Floats:
    """Return each driver's share of the explained variance, averaged over all orders of entry."""
    gains = _gains(_correlation(x, y, np.ones(len(y)) if weight is None else weight))
    return np.asarray(gains / gains.sum())


def _check(complete: pd.DataFrame, names: list[str], outcome: str) -> None:
    need = max(50, ROWS_PER_DRIVER * len(names))
    if len(complete) < need or not names:
        raise DataRefused(
            f"{len(complete)} complete answers for {len(names)} drivers of {outcome}; {need} are "
            "needed: leave out drivers with few answers"
        )
    if len(names) > MAX_DRIVERS:
        raise DataRefused(
            f"{len(names)} drivers; at most {MAX_DRIVERS} can be compared: use factors instead"
        )
    check_items(complete)
    matrix = complete[names].to_numpy(float)
    if np.linalg.cond(np.corrcoef(matrix, rowvar=False).reshape(len(names), -1)) > 1e10:
        raise DataRefused(
            f"one of {', '.join(names)} follows from the others; leave it out, its effect has no meaning"
        )


def _effects(x: Floats, y: Floats, w: Floats, names: list[str]) -> pd.DataFrame:
    import statsmodels.api as sm  # slow to import, and only needed here

    fitted = sm.WLS(y, sm.add_constant(x), weights=w).fit(cov_type="HC3")
    ends = np.asarray(fitted.conf_int())[1:]
    return pd.DataFrame(
        {"effect": fitted.params[1:], "effect_low": ends[:, 0], "effect_high": ends[:, 1]}, names
    )


def _importance(x: Floats, y: Floats, w: Floats) -> tuple[Floats, tuple[Floats, Floats]]:
    """Return shares of importance, and those and the means on resampled rows."""
    rng = np.random.default_rng(0)
    shares, means = [], []
    for _ in range(RESAMPLES):
        weights = w * np.bincount(rng.integers(0, len(y), len(y)), minlength=len(y))
        gains = _gains(_correlation(x, y, weights))
        shares.append(gains / gains.sum())
        means.append(np.average(x, axis=0, weights=weights))
    return shapley_shares(x, y, w), (np.array(shares), np.array(means))


def _correlation(x: Floats, y: Floats, w: Floats) -> Floats:
    """Return the weighted correlations of the drivers and, last, the outcome."""
    covariance = np.cov(np.column_stack([x, y]), rowvar=False, aweights=w)
    scale = np.sqrt(np.diag(covariance))
    return np.asarray(covariance / np.outer(scale, scale))


def _gains(correlation: Floats) -> Floats:
    """Return each driver's gain in R², averaged over all orders; the outcome is the last row."""
    count = len(correlation) - 1
    predictors, target = correlation[:-1, :-1], correlation[:-1, -1]
    explained = np.zeros(2**count)  # indexed by subset as a bit mask
    for size in range(1, count + 1):
        members = np.array(list(combinations(range(count), size)))
        submatrix = predictors[members[:, :, None], members[:, None, :]]
        with_outcome = target[members]
        solved = np.linalg.solve(submatrix, with_outcome[:, :, None])[:, :, 0]
        explained[(1 << members).sum(axis=1)] = (solved * with_outcome).sum(axis=1)
    subsets = np.arange(2**count)
    sizes = np.array([int(s).bit_count() for s in subsets])
    orders = 1 / (count * np.array([comb(count - 1, s) for s in range(count)]))
    gains = np.zeros(count)
    for driver in range(count):
        without = subsets[(subsets >> driver) & 1 == 0]
        gain = explained[without | (1 << driver)] - explained[without]
        gains[driver] = (orders[sizes[without]] * gain).sum()
    return gains


def _with_interval(name: str, values: Floats, drawn: Floats, names: list[str]) -> pd.DataFrame:
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return pd.DataFrame({name: values, f"{name}_low": low, f"{name}_high": high}, names)


def _assign_quadrants(table: pd.DataFrame) -> pd.DataFrame:
    """Add each driver's quadrant, cut at the mean importance and performance of all drivers."""
    cuts = {name: table[name].mean() for name in ("importance", "performance")}
    above = {name: table[name] >= cut for name, cut in cuts.items()}
    clear = pd.Series(True, table.index)
    for name, cut in cuts.items():
        clear &= (table[f"{name}_low"] > cut) | (table[f"{name}_high"] < cut)
    pairs = zip(above["importance"], above["performance"], strict=True)
    return table.assign(quadrant=[QUADRANTS[bool(i), bool(p)] for i, p in pairs], clear=clear)
