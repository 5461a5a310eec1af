"""What chance does to the lines of a control chart: over-dispersion, season, and chance that lasts.

Estimated for each line from its past, around the level of each stretch between two lasting changes. All
arrays have a row for each line and a column for each period.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Years of periods from which a season is estimated.
SEASON_YEARS = 2
#: From one period to the next, chance that lasts keeps this share of its correlation.
PERSISTENCE = 0.75
#: The autocorrelation expected without a history, the periods this expectation is worth, and those that
#: the autocorrelation of all lines of the family is worth for one line.
USUAL_CORRELATION, CORRELATION_WEIGHT, FAMILY_WEIGHT = 0.1, 40.0, 40.0
#: Highest autocorrelation: with more, no history is long enough to say what is usual.
MOST_CORRELATION = 0.7


@dataclass(frozen=True)
class ChartBaseline:
    """Chance in each line.

    `season` (lines, periods of the year) is the effect of each period of the year and `season_variance`
    its squared standard error, both 0 without two years. Chance between periods is `overdispersion` (at
    least 1) times sampling error. `correlation` is that of two consecutive periods; `freedom` are the
    degrees of freedom of the over-dispersion: infinite where sampling error explains all variation.
    """

    season: Floats
    season_variance: Floats
    overdispersion: Floats
    correlation: Floats
    freedom: Floats


@dataclass(frozen=True)
class _Past:
    """The usual values of the lines: weights are 0 elsewhere; `key` numbers line and stretch."""

    values: Floats
    weight: Floats
    key: Ints

    def levels(self, values: Floats) -> Floats:
        """The weighted mean of the stretch of each value."""
        total = np.bincount(self.key.ravel(), self.weight.ravel(), self.key.size)
        sums = np.bincount(self.key.ravel(), (self.weight * values).ravel(), self.key.size)
        means = np.divide(sums, total, where=total > 0, out=np.zeros(len(total)))
        levels: Floats = means[self.key]
        return levels

    def by_place(self, values: Floats, seasons: int) -> Floats:
        """The sums over the periods at the same place in the year."""
        return np.stack([values[:, i::seasons].sum(axis=1) for i in range(seasons)], axis=1)


def fit_baseline(
    values: Floats, errors: Floats, stretch: Ints, seasons: int, family: Ints
) -> ChartBaseline:
    """Estimate the chance of each line from its past; the first column is at place 0 of the year.

    `errors` are standard errors. `stretch` is the column in which the stretch of a value began, -1 for
    values left out (missing, or beyond chance). `seasons` periods make a year. How far chance lasts is
    estimated mostly from all lines of a `family` (a number for each line): one line alone cannot tell it
    from a change.
    """
    lines, periods = values.shape
    used = stretch >= 0
    past = _Past(
        np.where(used, values, 0.0), np.where(used, 1 / errors**2, 0.0),
        np.arange(lines)[:, None] * periods + np.maximum(stretch, 0),
    )  # fmt: skip
    lengths = np.bincount(past.key.ravel(), used.ravel(), past.key.size).reshape(lines, periods)
    season, variance, shrinkage = _seasons(past, used, seasons, (lengths > 0).sum(axis=1))
    left = past.values - season[:, np.arange(periods) % seasons]
    off = np.where(used, (left - past.levels(left)) * np.sqrt(past.weight), 0.0)
    correlation = _correlations(off, used, family)
    inflation = mean_inflation(correlation, periods)
    of_stretch = np.take_along_axis(inflation, np.maximum(lengths.astype(int) - 1, 0), axis=1)
    count = used.sum(axis=1)
    taken = np.where(lengths > 0, of_stretch, 0.0).sum(axis=1) + shrinkage
    degrees = np.maximum(count - taken, count / 3)
    square = np.maximum(1.0, (off**2).sum(axis=1) / np.maximum(degrees, 1.0))
    independent = np.maximum(degrees * (1 - correlation**2) / (1 + correlation**2), 3.0)
    estimated = np.maximum(
        (square - 1) / square, 1e-6
    )  # the rest is sampling error, which is known
    return ChartBaseline(season, variance, np.sqrt(square), correlation, independent / estimated**2)


def mean_inflation(correlation: Floats, most: int) -> Floats:
    """Return by how much the variance of a mean of 1, 2, ... `most` periods exceeds independence.

    Part of the chance lasts and fades by `PERSISTENCE` a period: the correlation of periods j apart is
    `correlation * PERSISTENCE ** (j - 1)`. The result has a row for each correlation.
    """
    count = np.arange(1, most + 1)
    fading = PERSISTENCE ** (count[:-1] - 1.0)
    sums = np.concatenate([[0.0], np.cumsum(fading)])
    distances = np.concatenate([[0.0], np.cumsum(fading * count[:-1])])
    inflation: Floats = 1 + 2 * correlation[:, None] * (sums - distances / count)
    return inflation


def _seasons(
    past: _Past, used: NDArray[np.bool_], seasons: int, levels: Ints
) -> tuple[Floats, Floats, Floats]:
    """The season of the lines with two years of history, its variance, the sum of its shrinkages."""
    lines, periods = used.shape
    none = np.zeros((lines, seasons)), np.zeros((lines, seasons)), np.zeros(lines)
    if seasons == 1 or periods < SEASON_YEARS * seasons:
        return none
    span = periods - used[:, ::-1].argmax(axis=1) - used.argmax(axis=1)
    place = np.arange(periods) % seasons
    season = none[0]
    for _ in range(2):  # the levels depend on the season, and the season on the levels
        left = past.values - past.levels(past.values - season[:, place])
        season, variance, shrinkage = _shrunken_season(
            past, left, seasons, used.sum(axis=1) - levels
        )
    seen = (span >= SEASON_YEARS * seasons) & used.any(axis=1)
    return season * seen[:, None], variance * seen[:, None], shrinkage * seen


def _shrunken_season(
    past: _Past, left: Floats, seasons: int, degrees: Ints
) -> tuple[Floats, Floats, Floats]:
    """Random effects of the periods of the year, by the method of moments.

    They are the variance between the periods of the year beyond that within them, between years.
    """
    place = np.arange(left.shape[1]) % seasons
    total = past.by_place(past.weight, seasons)
    seen = total > 0
    safe = np.where(seen, total, 1.0)
    mean = past.by_place(past.weight * left, seasons) / safe
    known = seen.sum(axis=1)
    rest = past.weight * (left - mean[:, place]) ** 2
    within = rest.sum(axis=1) / np.maximum(degrees - known + 1, 1)
    whole = np.maximum(total.sum(axis=1), 1e-300)
    spread = np.maximum(whole - (total**2).sum(axis=1) / whole, 1e-300)
    between = ((total * mean**2).sum(axis=1) - (known - 1) * within) / spread
    between = np.where(degrees - known + 1 >= seasons / 2, np.maximum(between, 0.0), 0.0)[:, None]
    noise = within[:, None] / safe
    shrinkage = np.where(seen, between / np.maximum(between + noise, 1e-300), 0.0)
    variance = np.where(seen, shrinkage * noise, between)
    return shrinkage * mean, variance, shrinkage.sum(axis=1)


def _correlations(off: Floats, used: NDArray[np.bool_], family: Ints) -> Floats:
    """The autocorrelation at one period, corrected for its bias and shrunken; never negative."""
    pairs = used[:, 1:] & used[:, :-1]
    count, all_used = pairs.sum(axis=1), used.sum(axis=1)
    products = (off[:, 1:] * off[:, :-1] * pairs).sum(axis=1) / np.maximum(count, 1)
    squares = (off**2).sum(axis=1) / np.maximum(all_used, 1)
    raw = np.divide(products, squares, where=squares > 0, out=np.zeros(len(off)))
    unbiased = (all_used * raw + 1) / np.maximum(all_used - 4, 1)  # Marriott and Pope 1954
    weight = np.where(squares > 0, count, 0).astype(float)
    sums = np.bincount(family, weight * unbiased), np.bincount(family, weight)
    prior = USUAL_CORRELATION * CORRELATION_WEIGHT
    of_family = ((sums[0] + prior) / (sums[1] + CORRELATION_WEIGHT))[family]
    shrunken = (weight * unbiased + FAMILY_WEIGHT * of_family) / (weight + FAMILY_WEIGHT)
    clipped: Floats = np.clip(shrunken, 0.0, MOST_CORRELATION)
    return clipped
