"""Tiers that do not flap: a customer moves when his figure is surely beyond the border, and stays so.

Surely: by more than its half-width in two periods running, or by twice that at once. Noise alone then
moves hardly anybody, and a change that is real arrives in the second period at the latest.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.errors import DataRefused
from insight.tiers.borders import Borders, named, places, tiers

#: Half of a 95 % interval, in standard deviations.
HALF = 1.96
#: Customers below which noise between two periods cannot be told.
FEWEST = 30


@dataclass(frozen=True)
class Placed:
    """The tier of every customer, and whether he leans up (-1) or down (1): beyond the border once."""

    tier: pd.Series
    leaning: pd.Series


def place(figure: pd.Series, found: Borders) -> Placed:
    """Everybody placed for the first time, by the figure alone."""
    return Placed(tiers(figure, found), pd.Series(0, figure.index))


def move(
    before: Placed, figure: pd.Series, half_width: pd.Series | float, found: Borders
) -> Placed:
    """The next period's tiers. Customers not placed before are placed by the figure alone.

    `half_width` is half of the figure's 95 % interval, one a customer or one for all. A customer
    without a figure has no tier. Raises DataRefused for a half-width that is missing or negative where
    there is a figure.
    """
    x = figure.to_numpy(float)
    h = (
        half_width.reindex(figure.index).to_numpy(float)
        if isinstance(half_width, pd.Series)
        else None
    )
    h = np.full(len(x), half_width, dtype=float) if h is None else h
    wrong = ~np.isnan(x) & ~(h >= 0)
    if wrong.any():
        raise DataRefused(
            f"{int(wrong.sum())} customers have a figure and no half-width of its interval (first: "
            f"{figure.index[wrong][0]}); give 0 where the figure is sure"
        )
    number = {name: i for i, name in enumerate(found.names)}
    old = before.tier.reindex(figure.index).map(number).fillna(-1).to_numpy(int)
    leaning = before.leaning.reindex(figure.index).fillna(0).to_numpy(int)
    now = places(x, found)
    # Pulled towards the tier he is in, does he still look to be outside of it?
    toward = np.sign(now - old)
    once = np.sign(places(x + toward * h, found) - old) == toward
    twice = np.sign(places(x + 2 * toward * h, found) - old) == toward
    beyond = np.where(once, toward, 0)
    moves = (toward != 0) & (twice | (once & (leaning == toward)))
    fresh = (old < 0) | (now < 0)
    tier = np.where(fresh | moves, now, old)
    leans = np.where(fresh | moves, 0, beyond)
    return Placed(
        pd.Series(named(tier, found), figure.index, dtype=object), pd.Series(leans, figure.index)
    )


def noise(before: pd.Series, after: pd.Series) -> float:
    """Half of the 95 % interval of a figure, told from how it differs between two periods.

    By the median of those whose figure changed at all, so that neither the few who really changed nor
    those of whom nothing new is known count. 0 where fewer than 30 changed: the others are sure.
    Raises DataRefused under 30 customers with both.
    """
    both = (after - before).dropna()
    if len(both) < FEWEST:
        raise DataRefused(
            f"{len(both)} customers have a figure in both periods; the noise between them needs {FEWEST}"
        )
    changed = both[both != 0]
    if len(changed) < FEWEST:
        return 0.0
    deviation = float((changed - changed.median()).abs().median()) * 1.4826
    return HALF * deviation / float(np.sqrt(2))


def moved_share(before: pd.Series, after: pd.Series) -> float:
    """The share of the customers with a tier in both periods who are in another one."""
    both = pd.DataFrame({"before": before, "after": after}).dropna()
    return float((both["before"] != both["after"]).mean()) if len(both) else float("nan")
