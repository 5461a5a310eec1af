"""Survival curves: the probability that a customer stays for each of the next twelve months.

A discrete-time logistic hazard on the log odds of the churn model, `logit h_m = a_m + b s`, fitted on
out-of-fold predictions. Over the label window, from the end of the gap to the end of the horizon, the
curve falls by the churn probability exactly; months beyond the twelfth continue at the last hazard.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MONTHS = 12
#: Days in a month: a twelfth of a year.
MONTH = 365.25 / 12
#: Minimum leavers to fit the level of a month; later months repeat the last fitted level.
MIN_LEAVERS = 20
EDGE = 1e-6


@dataclass(frozen=True)
class TenureDurations:
    """For each row, the month in which the customer left (NaN: censored) and the months observed.

    Month 0 means that the customer had left at the cutoff; month m, within the m-th month after it.
    """

    left: Floats
    observed: Floats


@dataclass(frozen=True)
class SurvivalCurve:
    """Monthly hazards given the churn score; `learnt` months are fitted, later ones repeat the last.

    `start` is the month in which the label window begins: the gap. With contracts, `anchor` is the month
    in which it ends: of those who stay until `start`, the churn probability leaves until then. Without,
    `anchor` is 0, and the curve is the probability of staying at `start`: a customer silent for the
    whole window counts as gone when it begins.
    """

    level: list[float]
    slope: float
    anchor: float
    learnt: int
    start: float = 0.0

    @classmethod
    def fit(
        cls,
        churn: Floats,
        stays: TenureDurations,
        weight: Floats,
        horizon_days: float | None,
        gap_days: float = 0.0,
    ) -> "SurvivalCurve":
        """Fit on out-of-fold churn probabilities and the tenure of each customer after the cutoff.

        `horizon_days` is the churn horizon where churn is a cancellation, else None. Then the rows hold
        nobody who left within the gap: the months that it touches take the level of the first one after.
        """
        from scipy.special import logit

        score = logit(np.clip(churn, EDGE, 1 - EDGE))
        rows, month, left = _person_months(stays)
        leavers = np.bincount(month[left], minlength=MONTHS + 1)
        blind = min(int(np.ceil(gap_days / MONTH)), MONTHS - 1) if horizon_days else 0
        enough = leavers[blind + 1 :] >= MIN_LEAVERS
        learnt = blind + int(np.argmin(enough)) if not enough.all() else MONTHS
        inside = (month > blind) & (month <= max(learnt, blind + 1))
        level, slope = _hazards(
            score[rows[inside]], month[inside] - blind, left[inside], weight[rows[inside]]
        )
        level = [*[level[0]] * blind, *level, *[level[-1]] * (MONTHS - blind - len(level))]
        anchor = (gap_days + horizon_days) / MONTH if horizon_days else 0.0
        return cls(level, slope, anchor, learnt, gap_days / MONTH)

    def curve(self, churn: Floats) -> Floats:
        """The probability to stay for 0, 1, ..., 12 months: shape (n, 13), non-increasing.

        From `start` to the anchor it falls by the factor `1 - churn`; without contracts it is that at
        `start`.
        """
        from scipy.special import expit, logit

        churn = np.clip(churn, EDGE, 1 - EDGE)
        hazard = expit(np.array(self.level) + self.slope * logit(churn)[:, None])
        logs = np.cumsum(np.log1p(-np.clip(hazard, EDGE, 1 - EDGE)), axis=1)
        logs = np.column_stack([np.zeros(len(churn)), logs])
        stay, before = np.log1p(-churn), _at(logs, self.start)
        if self.anchor:
            logs *= (stay / (_at(logs, self.anchor) - before))[:, None]
        else:  # those who left at the cutoff, or a slower start where nearly all stay until the window
            gone = np.minimum(stay - before, 0.0)
            slower = np.divide(stay, before, out=np.ones(len(stay)), where=before < stay)
            logs = logs * slower[:, None] + gone[:, None]
        return np.asarray(np.exp(logs))

    def expected_months(self, curve: Floats) -> Floats:
        """The expected months to stay out of the next twelve (restricted mean), 0 to 12."""
        return np.asarray((curve[:, :-1] + curve[:, 1:]).sum(axis=1) / 2)

    def to_dict(self) -> dict[str, Any]:
        """The hazards as stored in the manifest."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> "SurvivalCurve":
        """Read the output of `to_dict`."""
        return cls(**raw)


def kaplan_meier(stays: TenureDurations, weight: Floats) -> Floats:
    """The observed share that stays for 0, 1, ..., 12 months; NaN once no customer is observed.

    Kaplan and Meier (1958), with month 0 for customers who had left at the cutoff.
    """
    rows, month, left = _person_months(stays)
    at_risk = np.bincount(month, weight[rows], minlength=MONTHS + 1)[: MONTHS + 1]
    leave = np.bincount(month, weight[rows] * left, minlength=MONTHS + 1)[: MONTHS + 1]
    hazard = np.divide(leave, at_risk, out=np.full(MONTHS + 1, np.nan), where=at_risk > 0)
    return np.asarray(np.cumprod(1 - hazard))


def _person_months(
    stays: TenureDurations,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """One element for each observed month of a row: the row, the month, whether the customer left.

    Only months observed to their end count; a leaving in an incomplete month is ignored, as the
    staying of the others in it is.
    """
    gone = stays.left <= stays.observed  # False where censored
    last = np.minimum(np.where(gone, stays.left, stays.observed), MONTHS).astype(np.int64)
    rows = np.repeat(np.arange(len(last)), last + 1)
    month = np.arange(len(rows)) - np.repeat(np.cumsum(last + 1) - (last + 1), last + 1)
    return rows, month, np.asarray(gone[rows] & (month == stays.left[rows]))


def _hazards(
    score: Floats, month: NDArray[np.int64], left: NDArray[np.bool_], weight: Floats
) -> tuple[list[float], float]:
    """Levels of the months from 1 on and their common slope, by maximum likelihood."""
    from scipy.optimize import minimize
    from scipy.special import expit, logit

    inside = month >= 1
    score, place, hit = score[inside], month[inside] - 1, left[inside].astype(float)
    share = weight[inside] / max(weight[inside].sum(), EDGE)
    months = int(place.max()) + 1 if len(place) else 1
    start = np.concatenate([np.full(months, logit(np.clip(hit @ share, EDGE, 0.5))), [0.5]])

    def loss(theta: Floats) -> tuple[float, Floats]:
        z = theta[place] + theta[-1] * score
        error = (expit(z) - hit) * share
        value = float((share * (np.logaddexp(0, z) - hit * z)).sum())
        return value, np.append(np.bincount(place, error, minlength=months), error @ score)

    bounds = [(-15.0, 5.0)] * months + [(0.0, 3.0)]
    best = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return best[:-1].tolist(), float(best[-1])


def _at(logs: Floats, month: float) -> Floats:
    """The log survival at a fractional month; after month twelve it falls as in month twelve."""
    whole = min(int(month), MONTHS - 1)
    part = month - whole
    return np.asarray((1 - part) * logs[:, whole] + part * logs[:, whole + 1])
