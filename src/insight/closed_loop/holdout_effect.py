"""Effect of an action on its customers, and its estimate with a randomised hold-out group.

With a hold-out group: the difference of the means, adjusted for covariates known before the action
(CUPED; Deng, Xu, Kohavi and Walker 2013). Without one, `insight.closed_loop.matching` compares with
similar customers. Without customers to compare with, the effect is not identifiable.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from features.errors import DataRefused
from models.evaluation.bootstrap import Interval

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: Smallest number of customers in either group.
FEWEST = 50
NOT_IDENTIFIABLE: Literal["not identifiable"] = "not identifiable"
#: Largest z-score of a difference before the action that random assignment explains.
MAX_IMBALANCE = 4.0

NOT_DUE: Literal["not due yet"] = "not due yet"

Design = Literal["hold-out", "matched", "not identifiable", "not due yet"]


@dataclass(frozen=True)
class TreatmentEffect:
    """Change per treated customer with its 95% interval; None if not identifiable.

    `naive` is the unadjusted difference of the means. `sharper` is the share of the outcome's variance
    that the covariates explain. `note` gives the method and its limits, or the reason for no effect.
    `due` is the one date of the analysis, None for an effect outside the action log.
    """

    design: Design
    treated: int
    compared: int
    effect: Interval | None
    naive: float | None
    sharper: float
    note: str
    due: datetime | None = None

    @property
    def verdict(self) -> str:
        """The direction of the effect, where its interval does not include 0."""
        if self.effect is None:
            return NOT_DUE if self.design == NOT_DUE else NOT_IDENTIFIABLE
        if self.effect.low > 0:
            return "raises the outcome"
        return "lowers the outcome" if self.effect.high < 0 else "no effect seen"


def estimate_holdout_effect(outcome: Floats, treated: Bools, before: Floats) -> TreatmentEffect:
    """Estimate the effect against a randomised hold-out group.

    `before` (rows, columns) holds covariates known before the action. The outcome is regressed on
    treatment, centred covariates and their products (Lin 2013) with robust standard errors (HC3);
    constant covariates are left out. Not identifiable with too few customers in a group, or with groups
    that differed before the action by more than chance.
    """
    compared, count = int((~treated).sum()), int(treated.sum())
    if min(count, compared) < FEWEST:
        return not_identifiable(count, compared, _too_few_text(count, compared))
    if why := outcome_problem(outcome):
        return not_identifiable(count, compared, why)
    before = _varying(before)
    imbalance = _largest_z(before, treated)
    if imbalance > MAX_IMBALANCE:
        why = (
            f"the groups differed before the action by {imbalance:.1f} standard errors: they were not "
            "assigned at random; draw the hold-out group at random"
        )
        return not_identifiable(count, compared, why)
    naive = float(outcome[treated].mean() - outcome[~treated].mean())
    fitted, place = _regression(outcome, treated, before)
    low, high = fitted.conf_int()[place]
    effect = Interval(float(fitted.params[place]), float(low), float(high))
    return TreatmentEffect(
        "hold-out", count, compared, effect, naive, _explained_share(outcome, treated, before),
        "compared with a random hold-out group, adjusted for what was known before the action",
    )  # fmt: skip


def not_identifiable(treated: int, compared: int, why: str) -> TreatmentEffect:
    """Return an effect without a value, with the reason."""
    return TreatmentEffect(NOT_IDENTIFIABLE, treated, compared, None, None, 0.0, why)


def outcome_problem(outcome: Floats) -> str:
    """Return why outcomes cannot be compared (all are equal), or an empty text.

    Raises DataRefused for missing outcomes.
    """
    missing = int(np.isnan(outcome).sum())
    if missing:
        raise DataRefused(
            f"{missing:,} of {len(outcome):,} outcomes are missing; use 0 for what did not happen, "
            "and leave out customers whose outcome is not known yet"
        )
    if np.ptp(outcome) > 0:
        return ""
    return (
        f"the outcome is {outcome[0]:g} for every customer, so there is nothing to compare; "
        "wait longer, or choose an outcome that is more frequent"
    )


def _too_few_text(treated: int, compared: int) -> str:
    if not compared:
        return (
            f"all {treated:,} customers were treated, so there is nobody to compare with; keep a "
            "random hold-out group next time"
        )
    return f"{treated:,} treated and {compared:,} held out; a comparison takes {FEWEST} of each"


def _varying(before: Floats) -> Floats:
    if not before.size:
        return before.reshape(len(before), 0)
    varying: Floats = before[:, np.ptp(before, axis=0) > 0]
    return varying


def _largest_z(before: Floats, treated: Bools) -> float:
    """The largest difference between the groups before the action, in standard errors."""
    first, second = before[treated], before[~treated]
    if not before.shape[1]:
        return 0.0
    error = np.sqrt(first.var(axis=0) / len(first) + second.var(axis=0) / len(second))
    difference = np.abs(first.mean(axis=0) - second.mean(axis=0))
    with np.errstate(divide="ignore", invalid="ignore"):  # constant within both groups
        return float(np.max(np.where(difference > 0, difference / error, 0.0)))


def _regression(outcome: Floats, treated: Bools, before: Floats) -> tuple[Any, int]:
    """The fitted regression, and the index of the effect among its parameters."""
    import statsmodels.api as sm

    centred = before - before.mean(axis=0)
    treatment = treated.astype(float)[:, None]
    design = np.hstack([np.ones((len(outcome), 1)), treatment, centred, treatment * centred])
    return sm.OLS(outcome, design).fit(cov_type="HC3", use_t=True), 1


def _explained_share(outcome: Floats, treated: Bools, before: Floats) -> float:
    """The share of the variance within the groups that the covariates explain."""
    import statsmodels.api as sm

    if not before.shape[1]:
        return 0.0
    means = np.where(treated, outcome[treated].mean(), outcome[~treated].mean())
    fitted = sm.OLS(outcome - means, sm.add_constant(before, has_constant="add")).fit()
    return float(max(fitted.rsquared, 0.0))
