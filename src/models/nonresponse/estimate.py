"""The non-response model of one survey question: response propensity, outcome model and weights."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.errors import DataRefused
from models.learners.cross_fitting import CrossFittedModels, cross_fit, draw_folds
from models.learners.labelled_rows import check_labels
from models.nonresponse.aipw import AipwInputs, MeanEstimate, respondent_mean
from models.nonresponse.invitations import Invitations
from models.nonresponse.ipw_weights import (
    CovariateBalance,
    IpwWeights,
    covariate_balance,
    stabilised_weights,
)
from models.nonresponse.propensity import PropensityModel, fit_propensity
from models.targets.target import Target

Floats = NDArray[np.float64]

FEWEST_ANSWERS = 200
#: With fewer unanswered invitations, non-response cannot be modelled.
FEWEST_UNANSWERED = 100


@dataclass(frozen=True)
class AnswerMetric:
    """A metric of the answers: the value of each class, in the order of the target's classes."""

    name: str
    title: str
    class_values: tuple[float, ...]

    def observed(self, level: Floats) -> Floats:
        """The values of answers; a missing answer (NaN) gets the value of the first class."""
        return np.array(self.class_values)[np.nan_to_num(level).astype(np.int64)]

    def expected(self, shares: Floats) -> Floats:
        """The expected value, from the probabilities of the classes (n, K)."""
        return np.asarray(shares @ np.array(self.class_values))


ANSWER_METRICS = {
    "satisfaction": (
        AnswerMetric("csat", "Satisfaction, 0 to 100", (0.0, 25.0, 50.0, 75.0, 100.0)),
        AnswerMetric(
            "satisfied", "Satisfied (75 or more), per cent", (0.0, 0.0, 0.0, 100.0, 100.0)
        ),
    ),
    "nps": (AnswerMetric("nps", "NPS, points", (-100.0, 0.0, 100.0)),),
}


@dataclass(frozen=True)
class NonresponseModel:
    """The models of one question; `outcome` predicts the classes of the answer.

    Metrics are about the recent invitations; both models also learn from older ones.
    """

    target: Target
    invitations: Invitations
    propensity: PropensityModel
    outcome: CrossFittedModels
    weights: IpwWeights

    def aipw_inputs(self, metric: AnswerMetric) -> AipwInputs:
        """The recent invitations with observed and predicted values of a metric."""
        recent = self.invitations.recent
        return AipwInputs(
            observed=metric.observed(self.invitations.level[recent]),
            predicted=metric.expected(self.outcome.out_of_fold[recent]),
            weight=self.weights.weight[recent],
            base_weight=self.invitations.weight[recent],
            customer=self.invitations.customer[recent],
        )

    @property
    def recent_propensity(self) -> Floats:
        """The clipped response propensity of the recent invitations."""
        return self.weights.propensity[self.invitations.recent]

    def covariate_balance(self) -> CovariateBalance:
        """Differences between respondents and all invitations, before and after weighting."""
        recent = self.invitations.recent
        base = self.invitations.weight[recent]
        responded = np.where(self.invitations.answered[recent], base, 0.0)
        features = self.invitations.features.filter(pa.array(recent))
        return covariate_balance(features, base, responded, self.weights.weight[recent])


def estimate_respondents(invitations: Invitations, metric: AnswerMetric) -> MeanEstimate | None:
    """The metric of the respondents to recent invitations; None without a respondent."""
    recent = invitations.recent
    weight = np.where(invitations.answered, invitations.weight, 0.0)[recent]
    if not weight.any():
        return None
    observed = metric.observed(invitations.level[recent])
    return respondent_mean(observed, weight, invitations.customer[recent])


def check_enough_answers(invitations: Invitations) -> None:
    """Check that non-response can be corrected.

    Raises DataRefused with fewer than `FEWEST_ANSWERS` recent answers, or fewer than
    `FEWEST_UNANSWERED` recent invitations without an answer.
    """
    answers = int((invitations.answered & invitations.recent).sum())
    if answers < FEWEST_ANSWERS:
        raise DataRefused(
            f"{answers:,} answers to the invitations of the last year; {FEWEST_ANSWERS} are needed "
            "to model the response propensity"
        )
    unanswered = ~invitations.answered & ~invitations.late & invitations.recent
    if unanswered.sum() < FEWEST_UNANSWERED:
        raise DataRefused(
            f"{int(unanswered.sum()):,} of {int(invitations.recent.sum()):,} invitations of the last "
            f"year were never answered; {FEWEST_UNANSWERED} are needed to model non-response. Either "
            "every customer answers, or the data hold answered questions only: nothing can be "
            "corrected"
        )


def fit_nonresponse_model(target: Target, invitations: Invitations) -> NonresponseModel:
    """Fit response propensity and outcome model, and compute the weights.

    Raises DataRefused if there are too few answers; see `check_enough_answers`.
    """
    check_enough_answers(invitations)
    answered = invitations.answered
    check_labels("multiclass", invitations.level[answered], len(target.classes))
    fold = draw_folds(invitations.customer)
    propensity = fit_propensity(invitations, fold)
    outcome = cross_fit(
        "multiclass",
        invitations.features,
        invitations.level,
        answered,
        fold,
        len(target.classes),
    )
    recent = invitations.recent
    window = stabilised_weights(
        answered[recent], propensity.out_of_fold[recent], invitations.weight[recent]
    )
    weight = np.zeros(len(recent))
    weight[recent] = window.weight
    clipped = propensity.out_of_fold.copy()
    clipped[recent] = window.propensity
    weights = IpwWeights(clipped, weight, window.clipped)
    return NonresponseModel(target, invitations, propensity, outcome, weights)
