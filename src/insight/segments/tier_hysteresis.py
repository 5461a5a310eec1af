"""Tiers that do not flap: a customer moves when his figure is surely beyond the border, and stays so.

Surely: by more than 1.4 half-widths in the mean of two periods, or by twice the half-width at once. The
mean errs less than either period, so noise alone moves hardly anybody, and a change that is real arrives
in the second period at the latest. Who has not moved at once lay at most twice the half-width beyond:
the mean of two periods is beyond by 1.4 only where both are.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.errors import DataRefused
from insight.segments.tier_thresholds import TierThresholds, classify_tiers, tier_names, tier_numbers

#: Half of a 95 % interval, in standard deviations.
INTERVAL_Z = 1.96
#: Half-widths beyond the border from which a customer moves: by the mean of two periods, and at once.
CONFIRMED, AT_ONCE = 1.4, 2.0
#: Customers below which noise between two periods cannot be told.
MIN_CUSTOMERS = 30


@dataclass(frozen=True)
class TierAssignment:
    """The tier of every customer, and the figure he was placed by.

    `leaning` is -1 (up) or 1 (down) for a figure beyond the border by its half-width that has not moved
    him yet.
    """

    tier: pd.Series
    leaning: pd.Series
    figure: pd.Series


def assign_first_tiers(figure: pd.Series, found: TierThresholds) -> TierAssignment:
    """Everybody placed for the first time, by the figure alone."""
    return TierAssignment(classify_tiers(figure, found), pd.Series(0, figure.index), figure)


def update_tiers(
    before: TierAssignment, figure: pd.Series, half_width: pd.Series | float, found: TierThresholds
) -> TierAssignment:
    """The next period's tiers. Customers not placed before are placed by the figure alone.

    `half_width` is half of the figure's 95 % interval, one a customer or one for all. A customer
    without a figure has no tier. Raises DataRefused for a half-width that is missing or negative where
    there is a figure.
    """
    x = figure.to_numpy(float)
    h = _half_widths(half_width, figure)
    number = {name: i for i, name in enumerate(found.names)}
    old = before.tier.reindex(figure.index).map(number).fillna(-1).to_numpy(int)
    mean = (x + before.figure.reindex(figure.index).to_numpy(float)) / 2
    now = tier_numbers(x, found)
    toward = np.sign(now - old)

    def beyond(values: np.ndarray, widths: float) -> np.ndarray:
        """Pulled so far towards the tier he is in, does he still look to be outside of it?"""
        pulled = values + widths * toward * h
        return np.asarray((np.sign(tier_numbers(pulled, found) - old) == toward) & ~np.isnan(values))

    moves = (toward != 0) & (beyond(x, AT_ONCE) | beyond(mean, CONFIRMED))
    settled = (old < 0) | (now < 0) | moves
    tier = np.where(settled, now, old)
    leans = np.where(~settled & beyond(x, 1.0), toward, 0)
    return TierAssignment(
        pd.Series(tier_names(tier, found), figure.index, dtype=object),
        pd.Series(leans, figure.index),
        figure,
    )


def _half_widths(half_width: pd.Series | float, figure: pd.Series) -> np.ndarray:
    """A half-width a customer, none missing or negative where there is a figure."""
    each = half_width.reindex(figure.index) if isinstance(half_width, pd.Series) else half_width
    h = np.full(len(figure), each, dtype=float)
    wrong = figure.notna().to_numpy() & ~(h >= 0)
    if wrong.any():
        raise DataRefused(
            f"{int(wrong.sum())} customers have a figure and no half-width of its interval (first: "
            f"{figure.index[wrong][0]}); give 0 where the figure is sure"
        )
    return h


def estimate_half_width(before: pd.Series, after: pd.Series) -> float:
    """Half of the 95 % interval of a figure, told from how it differs between two periods.

    By the median of those whose figure changed at all, so that neither the few who really changed nor
    those of whom nothing new is known count. 0 where fewer than 30 changed: the others are sure.
    Raises DataRefused under 30 customers with both.
    """
    both = (after - before).dropna()
    if len(both) < MIN_CUSTOMERS:
        raise DataRefused(
            f"{len(both)} customers have a figure in both periods; the noise between them needs {MIN_CUSTOMERS}"
        )
    changed = both[both != 0]
    if len(changed) < MIN_CUSTOMERS:
        return 0.0
    deviation = float((changed - changed.median()).abs().median()) * 1.4826
    return INTERVAL_Z * deviation / float(np.sqrt(2))


def changed_share(before: pd.Series, after: pd.Series) -> float:
    """The share of the customers with a tier in both periods who are in another one."""
    both = pd.DataFrame({"before": before, "after": after}).dropna()
    return float((both["before"] != both["after"]).mean()) if len(both) else float("nan")
