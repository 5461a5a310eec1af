"""What an action did, measured as honestly as the log allows.

With a hold-out group drawn by lot: the difference of the means, sharpened by what was known before
(CUPED; Deng, Xu, Kohavi and Walker 2013). Without one, against customers alike in all that the tables
show (doubly robust, `insight.complaints.attributable_fraction`). Without customers to compare with: not
identifiable, and said so.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from features.errors import DataRefused
from models.evaluation.bootstrap import Interval

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: Fewer customers than this on either side are no comparison.
FEWEST = 50
NOT_IDENTIFIABLE: Literal["not identifiable"] = "not identifiable"
#: A standardised difference before the action that lots do not bring about in so many customers.
LOPSIDED = 4.0

Design = Literal["hold-out", "matched", "not identifiable"]


@dataclass(frozen=True)
class Effect:
    """What an action changed per treated customer, with 95 % interval; None if not identifiable.

    `naive` is the plain difference of the means. `sharper` is the share of the variance that what was
    known before explains. `note` says what the figure rests on, or why there is none.
    """

    design: Design
    treated: int
    compared: int
    effect: Interval | None
    naive: float | None
    sharper: float
    note: str

    @property
    def verdict(self) -> str:
        """In a word: works, harms, no effect seen, or not identifiable."""
        if self.effect is None:
            return NOT_IDENTIFIABLE
        if self.effect.low > 0:
            return "raises the outcome"
        return "lowers the outcome" if self.effect.high < 0 else "no effect seen"


def held_out_effect(outcome: Floats, treated: Bools, before: Floats) -> Effect:
    """The effect against a hold-out group drawn by lot.

    `before` (rows, columns) was known before the action; the outcome is regressed on treatment,
    centred `before` and their products (Lin 2013), standard errors robust (HC3). What varies in no
    way is left out. Too few on a side, or sides that differed before as lots do not: not identifiable.
    """
    compared, count = int((~treated).sum()), int(treated.sum())
    if min(count, compared) < FEWEST:
        return not_identifiable(count, compared, _too_few(count, compared))
    if why := unusable(outcome):
        return not_identifiable(count, compared, why)
    before = _varying(before)
    apart = _largest_z(before, treated)
    if apart > LOPSIDED:
        why = (
            f"the groups differed before the action by {apart:.1f} standard errors: they were not "
            "drawn by lot; draw the hold-out group at random"
        )
        return not_identifiable(count, compared, why)
    plain = float(outcome[treated].mean() - outcome[~treated].mean())
    fitted, place = _regression(outcome, treated, before)
    low, high = fitted.conf_int()[place]
    effect = Interval(float(fitted.params[place]), float(low), float(high))
    return Effect(
        "hold-out", count, compared, effect, plain, _explained(outcome, treated, before),
        "against customers left alone by lot, adjusted for what was known before",
    )  # fmt: skip


def not_identifiable(treated: int, compared: int, why: str) -> Effect:
    """The answer where the log holds none."""
    return Effect(NOT_IDENTIFIABLE, treated, compared, None, None, 0.0, why)


def unusable(outcome: Floats) -> str:
    """Why outcomes cannot be compared: all are the same; empty where they can.

    Raises DataRefused for missing ones.
    """
    missing = int(np.isnan(outcome).sum())
    if missing:
        raise DataRefused(
            f"{missing:,} of {len(outcome):,} outcomes are missing; what did not happen is 0, and "
            "customers whose outcome is not known yet are to be left out"
        )
    if np.ptp(outcome) > 0:
        return ""
    return (
        f"the outcome is {outcome[0]:g} for every customer: nothing differs that could be compared; "
        "wait longer, or take an outcome that happens oftener"
    )


def _too_few(treated: int, compared: int) -> str:
    if not compared:
        return (
            f"all {treated:,} customers were treated: there is nobody to compare with; leave a part "
            "alone by lot next time"
        )
    return f"{treated:,} treated and {compared:,} left alone; a comparison takes {FEWEST} of each"


def _varying(before: Floats) -> Floats:
    kept = before[:, np.ptp(before, axis=0) > 0] if before.size else before.reshape(len(before), 0)
    return kept


def _largest_z(before: Floats, treated: Bools) -> float:
    """The largest difference of the groups before the action, in standard errors."""
    first, second = before[treated], before[~treated]
    if not before.shape[1]:
        return 0.0
    error = np.sqrt(first.var(axis=0) / len(first) + second.var(axis=0) / len(second))
    apart = np.abs(first.mean(axis=0) - second.mean(axis=0))
    with np.errstate(divide="ignore", invalid="ignore"):  # each side all alike: equal, or far apart
        return float(np.max(np.where(apart > 0, apart / error, 0.0)))


def _regression(outcome: Floats, treated: Bools, before: Floats) -> tuple[Any, int]:
    """The regression and the place of the effect among its parameters."""
    import statsmodels.api as sm

    centred = before - before.mean(axis=0)
    moved = treated.astype(float)[:, None]
    design = np.hstack([np.ones((len(outcome), 1)), moved, centred, moved * centred])
    return sm.OLS(outcome, design).fit(cov_type="HC3"), 1


def _explained(outcome: Floats, treated: Bools, before: Floats) -> float:
    """The share of the variance within the groups that is known before."""
    import statsmodels.api as sm

    if not before.shape[1]:
        return 0.0
    means = np.where(treated, outcome[treated].mean(), outcome[~treated].mean())
    fitted = sm.OLS(outcome - means, sm.add_constant(before, has_constant="add")).fit()
    return float(max(fitted.rsquared, 0.0))
