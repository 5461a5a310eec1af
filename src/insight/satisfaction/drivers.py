"""What satisfaction hangs on: effects and shares of importance with intervals, and where to work."""

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import DataRefused
from insight.satisfaction.psychometrics import check_items

Floats = NDArray[np.float64]

#: All 2^12 subsets of drivers are compared.
MAX_DRIVERS = 12
ROWS_PER_DRIVER = 10
RESAMPLES = 200
#: Quadrants of importance (high, low) and performance (low, high). Martilla and James (1977).
QUADRANTS = {
    (True, False): "concentrate here",
    (True, True): "keep up the good work",
    (False, False): "low priority",
    (False, True): "possible overkill",
}


@dataclass(frozen=True)
class DriverAnalysis:
    """The drivers of an outcome, the most important first.

    `table` has a row a driver: `effect` (points of the outcome per point of the driver, the others
    held fixed), `importance` (its share of the variance explained; they sum to 1), `performance` (its
    mean), each with `_low` and `_high` (95 %), `quadrant`, and `clear`: whether the intervals keep the
    driver inside that quadrant. `explained` is the share of the outcome's variance all drivers explain;
    `incomplete` rows lacked an answer and were left out.
    """

    table: pd.DataFrame
    explained: float
    rows: int
    incomplete: int


def analyse_drivers(
    answers: pd.DataFrame, outcome: str, weight: "pd.Series[float] | None" = None
) -> DriverAnalysis:
    """What the column `outcome` hangs on among the other columns; all on scales where more is better.

    Effects by (weighted) least squares with intervals that allow unequal spread (HC3); importance by
    averaging a driver's gain in R² over all orders of entry (Lindeman, Merenda and Gold 1980), which is
    its Shapley value, with bootstrap intervals. An association is not a cause: who is content rates
    everything better. Raises DataRefused for too few rows, more than 12 drivers, one that never varies
    or follows from the others.
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
        .join(_told("importance", shares, drawn[0], names))
        .join(_told("performance", performance, drawn[1], names))
    )
    table = _placed(table).sort_values("importance", ascending=False)
    explained = float(_gains(_correlation(x, y, w)).sum())
    return DriverAnalysis(table, explained, len(complete), len(answers) - len(complete))


def shapley_shares(x: Floats, y: Floats, weight: Floats | None = None) -> Floats:
    """Each driver's share of the variance explained, averaged over all orders of entry; sums to 1."""
    gains = _gains(_correlation(x, y, np.ones(len(y)) if weight is None else weight))
    return np.asarray(gains / gains.sum())


def _check(complete: pd.DataFrame, names: list[str], outcome: str) -> None:
    need = max(50, ROWS_PER_DRIVER * len(names))
    if len(complete) < need or not names:
        raise DataRefused(
            f"{len(complete)} complete rows for {len(names)} drivers of {outcome}; {need} are needed: "
            "leave out drivers few people answer"
        )
    if len(names) > MAX_DRIVERS:
        raise DataRefused(
            f"{len(names)} drivers; at most {MAX_DRIVERS} can be compared in all orders: take factors"
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
    """Shares of importance, and what they and the means are on resampled rows."""
    rng = np.random.default_rng(0)
    shares, means = [], []
    for _ in range(RESAMPLES):
        times = w * np.bincount(rng.integers(0, len(y), len(y)), minlength=len(y))
        gains = _gains(_correlation(x, y, times))
        shares.append(gains / gains.sum())
        means.append(np.average(x, axis=0, weights=times))
    return shapley_shares(x, y, w), (np.array(shares), np.array(means))


def _correlation(x: Floats, y: Floats, w: Floats) -> Floats:
    """Weighted correlations of the drivers and, last, the outcome."""
    covariance = np.cov(np.column_stack([x, y]), rowvar=False, aweights=w)
    scale = np.sqrt(np.diag(covariance))
    return np.asarray(covariance / np.outer(scale, scale))


def _gains(correlation: Floats) -> Floats:
    """Each driver's gain in R², averaged over all orders; the outcome is the last row."""
    count = len(correlation) - 1
    inside, target = correlation[:-1, :-1], correlation[:-1, -1]
    explained = np.zeros(2**count)  # by subset, as bits
    for size in range(1, count + 1):
        members = np.array(list(combinations(range(count), size)))
        among = inside[members[:, :, None], members[:, None, :]]
        toward = target[members]
        solved = np.linalg.solve(among, toward[:, :, None])[:, :, 0]
        explained[(1 << members).sum(axis=1)] = (solved * toward).sum(axis=1)
    subsets = np.arange(2**count)
    sizes = np.array([int(s).bit_count() for s in subsets])
    orders = 1 / (count * np.array([comb(count - 1, s) for s in range(count)]))
    gains = np.zeros(count)
    for driver in range(count):
        without = subsets[(subsets >> driver) & 1 == 0]
        gain = explained[without | (1 << driver)] - explained[without]
        gains[driver] = (orders[sizes[without]] * gain).sum()
    return gains


def _told(name: str, values: Floats, drawn: Floats, names: list[str]) -> pd.DataFrame:
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return pd.DataFrame({name: values, f"{name}_low": low, f"{name}_high": high}, names)


def _placed(table: pd.DataFrame) -> pd.DataFrame:
    """Each driver's quadrant, cut at the mean importance and performance of all drivers."""
    cuts = {name: table[name].mean() for name in ("importance", "performance")}
    above = {name: table[name] >= cut for name, cut in cuts.items()}
    clear = pd.Series(True, table.index)
    for name, cut in cuts.items():
        clear &= (table[f"{name}_low"] > cut) | (table[f"{name}_high"] < cut)
    places = zip(above["importance"], above["performance"], strict=True)
    return table.assign(quadrant=[QUADRANTS[bool(i), bool(p)] for i, p in places], clear=clear)
