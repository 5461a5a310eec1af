"""The response propensity: the probability that a customer answers an invitation."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.evaluation.metrics import roc_auc
from models.learners.cross_fitting import CrossFittedModels, cross_fit
from models.nonresponse.invitations import Invitations

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

EDGE = 1e-4


@dataclass(frozen=True)
class PropensityModel:
    """The fitted response propensity; `out_of_fold` is that of each invitation it was fitted on.

    `slope` and `intercept` are the Platt calibration, `auc` measures the out-of-fold predictions.
    """

    models: CrossFittedModels
    slope: float
    intercept: float
    out_of_fold: Floats
    auc: float

    def predict(self, features: pa.Table) -> Floats:
        """The probability that these customers answer if invited now."""
        return _logistic(self.slope * _log_odds(self.models.predict(features)) + self.intercept)


def fit_propensity(invitations: Invitations, fold: Ints) -> PropensityModel:
    """Fit the response propensity on all invitations, answered or not.

    Boosted trees cross-fitted by customer, then Platt scaling fitted on the other folds: weights are
    inverse probabilities, so the probabilities must be calibrated.
    """
    answered = invitations.answered.astype(np.float64)
    everyone = np.ones(len(answered), np.bool_)
    models = cross_fit("binary", invitations.features, answered, everyone, fold)
    score = _log_odds(models.out_of_fold)
    probability = np.empty(len(score))
    for held in np.unique(fold):
        slope, intercept = _fit_platt(score[fold != held], answered[fold != held])
        probability[fold == held] = _logistic(slope * score[fold == held] + intercept)
    slope, intercept = _fit_platt(score, answered)
    auc = float(roc_auc(answered, probability))
    return PropensityModel(models, slope, intercept, probability, auc)


def _fit_platt(score: Floats, answered: Floats) -> tuple[float, float]:
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=1e4).fit(score[:, None], answered)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def _log_odds(probability: Floats) -> Floats:
    clipped = np.clip(probability, EDGE, 1 - EDGE)
    return np.asarray(np.log(clipped) - np.log1p(-clipped))


def _logistic(score: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-score)))
