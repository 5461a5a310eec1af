"""The propensity: how likely each customer is to answer when asked."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.evaluation.metrics import roc_auc
from models.nonresponse.cross_fitting_folds import Crossed, cross_fit
from models.nonresponse.invitations import Invitations

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

EDGE = 1e-4


@dataclass(frozen=True)
class Propensity:
    """The chance of an answer: of each invitation by models that have not seen its customer.

    `auc` says how well it tells who answers (0.5: not at all).
    """

    crossed: Crossed
    slope: float
    shift: float
    chance: Floats
    auc: float

    def of(self, features: pa.Table) -> Floats:
        """The chance of an answer if these customers are asked now."""
        return _logistic(self.slope * _log_odds(self.crossed.of(features)) + self.shift)


def propensity(asked: Invitations, fold: Ints) -> Propensity:
    """Learn who answers from all invitations, answered or not.

    Boosted trees, cross-fitted by customer; then Platt's line on their log odds, learnt from the
    other folds, because a weight is the inverse of a probability and must be right in its level.
    """
    answered = asked.answered.astype(np.float64)
    everyone = np.ones(len(answered), np.bool_)
    crossed = cross_fit("binary", asked.features, answered, everyone, fold)
    score = _log_odds(crossed.unseen)
    chance = np.empty(len(score))
    for held in np.unique(fold):
        slope, shift = _platt(score[fold != held], answered[fold != held])
        chance[fold == held] = _logistic(slope * score[fold == held] + shift)
    slope, shift = _platt(score, answered)
    return Propensity(crossed, slope, shift, chance, float(roc_auc(answered, chance)))


def _platt(score: Floats, answered: Floats) -> tuple[float, float]:
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=1e4).fit(score[:, None], answered)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def _log_odds(chance: Floats) -> Floats:
    inside = np.clip(chance, EDGE, 1 - EDGE)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def _logistic(score: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-score)))
