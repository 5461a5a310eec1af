"""When a customer will leave: the chance that he is still there after each of twelve months.

A logistic hazard for each month on the log odds of the churn model: `logit h_m = a_m + b s`. A few
numbers, learnt from predictions for customers the trees had not seen; what a curve says of the churn
horizon is the churn probability itself, exactly.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

Floats = NDArray[np.float64]
MONTHS = 12
#: Days of a month: a year has twelve.
MONTH = 365.25 / 12
#: A month's own level is learnt from at least so many leavers; later months repeat the last one.
FEWEST_LEAVERS = 20
EDGE = 1e-6


@dataclass(frozen=True)
class TenureDurations:
    """Of each row: the month he left in, NaN if he was not seen leaving, and months observed.

    Month 0 means gone from the cutoff on, month m a leaving within the m-th month after it.
    """

    left: Floats
    observed: Floats


@dataclass(frozen=True)
class SurvivalCurve:
    """Monthly hazards given the churn score; `learnt` months come from data, later ones repeat.

    `anchor` is the month at which the curve meets the churn probability: the horizon with contracts,
    0 without (who is silent for the horizon from the cutoff on had left at the cutoff).
    """

    level: list[float]
    slope: float
    anchor: float
    learnt: int

    @classmethod
    def fit(
        cls, churn: Floats, stays: TenureDurations, weight: Floats, horizon_days: float | None
    ) -> "SurvivalCurve":
        """Learn from churn probabilities of rows not learnt from and how long each customer stayed.

        `horizon_days` is that of the churn target where leaving is a cancellation, else None.
        """
        score = logit(np.clip(churn, EDGE, 1 - EDGE))
        rows, month, left = _person_months(stays)
        leavers = np.bincount(month[left], minlength=MONTHS + 1)
        enough = leavers[1:] >= FEWEST_LEAVERS
        learnt = int(np.argmin(enough)) if not enough.all() else MONTHS
        inside = month <= max(learnt, 1)
        level, slope = _hazards(
            score[rows[inside]], month[inside], left[inside], weight[rows[inside]]
        )
        level = [*level, *[level[-1]] * (MONTHS - len(level))]
        return cls(level, slope, horizon_days / MONTH if horizon_days else 0.0, learnt)

    def curve(self, churn: Floats) -> Floats:
        """The chance of still being there after 0, 1, ..., 12 months: shape (n, 13), never rising.

        Meets `1 - churn` at the anchor.
        """
        churn = np.clip(churn, EDGE, 1 - EDGE)
        hazard = expit(np.array(self.level) + self.slope * logit(churn)[:, None])
        logs = np.cumsum(np.log1p(-np.clip(hazard, EDGE, 1 - EDGE)), axis=1)
        logs = np.column_stack([np.zeros(len(churn)), logs])
        stay = np.log1p(-churn)
        if self.anchor:
            logs *= (stay / _at(logs, self.anchor))[:, None]
        else:
            logs += stay[:, None]
        return np.asarray(np.exp(logs))

    def months_left(self, curve: Floats) -> Floats:
        """The months a customer is expected to stay of the next twelve (restricted mean), 0 to 12."""
        return np.asarray((curve[:, :-1] + curve[:, 1:]).sum(axis=1) / 2)

    def to_dict(self) -> dict[str, Any]:
        """The hazards as a manifest holds them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> "SurvivalCurve":
        """The hazards that `to_dict` gave."""
        return cls(**raw)


def kaplan_meier(stays: TenureDurations, weight: Floats) -> Floats:
    """The share still there after 0, 1, ..., 12 months as observed; NaN once nobody is observed.

    Kaplan and Meier (1958), with month 0 for those who had left at the cutoff.
    """
    rows, month, left = _person_months(stays)
    at_risk = np.bincount(month, weight[rows], minlength=MONTHS + 1)[: MONTHS + 1]
    leave = np.bincount(month, weight[rows] * left, minlength=MONTHS + 1)[: MONTHS + 1]
    hazard = np.divide(leave, at_risk, out=np.full(MONTHS + 1, np.nan), where=at_risk > 0)
    return np.asarray(np.cumprod(1 - hazard))


def _person_months(
    stays: TenureDurations,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """One element for each month a row is observed in: the row, the month, whether he left in it.

    A month counts when it was observed to its end; a leaving in a month cut short counts no more
    than the staying of the others in it.
    """
    gone = stays.left <= stays.observed  # False where he was not seen leaving
    last = np.minimum(np.where(gone, stays.left, stays.observed), MONTHS).astype(np.int64)
    rows = np.repeat(np.arange(len(last)), last + 1)
    month = np.arange(len(rows)) - np.repeat(np.cumsum(last + 1) - (last + 1), last + 1)
    return rows, month, np.asarray(gone[rows] & (month == stays.left[rows]))


def _hazards(
    score: Floats, month: NDArray[np.int64], left: NDArray[np.bool_], weight: Floats
) -> tuple[list[float], float]:
    """Levels of the months from 1 on and the slope common to them, by maximum likelihood."""
    from scipy.optimize import minimize  # training only

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
    """The logarithm of the curve at a month between whole ones; beyond the twelfth, the twelfth."""
    month = min(month, float(MONTHS))
    whole = min(int(month), MONTHS - 1)
    part = month - whole
    return np.asarray((1 - part) * logs[:, whole] + part * logs[:, whole + 1])
