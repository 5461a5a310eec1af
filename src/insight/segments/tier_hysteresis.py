"""Tier hysteresis: a customer changes tier only if the score is clearly beyond the threshold.

Clearly: by more than 1.4 half-widths in the mean of two periods, or by 2 half-widths in one. The mean
has less error than either period, so noise alone moves almost no customer, and a real change takes
effect in the second period at the latest. A score that did not move the customer at once was at most 2
half-widths beyond, so the mean of two periods exceeds 1.4 only if both are beyond.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.errors import DataRefused
from insight.segments.tier_thresholds import (
    TierThresholds,
    classify_tiers,
    tier_names,
    tier_numbers,
)

#: Half-width of a 95% interval in standard deviations.
INTERVAL_Z = 1.96
#: Half-widths beyond the threshold that move a customer: in the mean of two periods, and at once.
CONFIRMED, AT_ONCE = 1.4, 2.0
#: Customers needed to estimate the noise between two periods.
MIN_CUSTOMERS = 30


@dataclass(frozen=True)
class TierAssignment:
    """The tier of every customer, and the score it is based on.

    `leaning` is -1 (up) or 1 (down) for a score beyond the threshold by its half-width that has not
    moved the customer yet.
    """

    tier: pd.Series
    leaning: pd.Series
    figure: pd.Series


def assign_first_tiers(figure: pd.Series, found: TierThresholds) -> TierAssignment:
    """Assign the first tiers, by the score alone."""
    return TierAssignment(classify_tiers(figure, found), pd.Series(0, figure.index), figure)


def update_tiers(
    before: TierAssignment, figure: pd.Series, half_width: pd.Series | float, found: TierThresholds
) -> TierAssignment:
    """Assign the tiers of the next period; customers without an earlier tier get theirs by score alone.

    `half_width` is half of the score's 95% interval, one per customer or one for all. A customer without
    a score has no tier. Raises DataRefused for a half-width that is missing or negative where there is a
    score.
    """
    x = figure.to_numpy(float)
    h = _half_widths(half_width, figure)
    rank = {name: i for i, name in enumerate(found.names)}
    old = before.tier.reindex(figure.index).map(rank).fillna(-1).to_numpy(int)
    mean = (x + before.figure.reindex(figure.index).to_numpy(float)) / 2
    new = tier_numbers(x, found)
    direction = np.sign(new - old)

    def beyond(values: np.ndarray, widths: float) -> np.ndarray:
        """Return whether values moved back by `widths` half-widths are still outside the tier."""
        pulled = values + widths * direction * h
        return np.asarray(
            (np.sign(tier_numbers(pulled, found) - old) == direction) & ~np.isnan(values)
        )

    moves = (direction != 0) & (beyond(x, AT_ONCE) | beyond(mean, CONFIRMED))
    assigned = (old < 0) | (new < 0) | moves
    tier = np.where(assigned, new, old)
    leaning = np.where(~assigned & beyond(x, 1.0), direction, 0)
    return TierAssignment(
        pd.Series(tier_names(tier, found), figure.index, dtype=object),
        pd.Series(leaning, figure.index),
        figure,
    )


def _half_widths(half_width: pd.Series | float, figure: pd.Series) -> np.ndarray:
    """Return a half-width per customer; none may be missing or negative where there is a score."""
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
    """Estimate half of the 95% interval of a score from the differences between two periods.

    Uses the median of the scores that changed, so that neither the few real changes nor unchanged scores
    count. 0 if fewer than 30 changed: the others are exact. Raises DataRefused under 30 customers with
    both.
    """
    both = (after - before).dropna()
    if len(both) < MIN_CUSTOMERS:
        raise DataRefused(
            f"{len(both)} customers have a figure in both periods; the noise between them "
            f"needs {MIN_CUSTOMERS}"
        )
    changed = both[both != 0]
    if len(changed) < MIN_CUSTOMERS:
        return 0.0
    deviation = float((changed - changed.median()).abs().median()) * 1.4826
    return INTERVAL_Z * deviation / float(np.sqrt(2))


def changed_share(before: pd.Series, after: pd.Series) -> float:
    """Return the share of customers with a tier in both periods whose tier changed."""
    both = pd.DataFrame({"before": before, "after": after}).dropna()
    return float((both["before"] != both["after"]).mean()) if len(both) else float("nan")
