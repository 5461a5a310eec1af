"""Overlap: the customers to whom the respondents' answers can be generalised."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.nonresponse.aipw import MeanEstimate, clustered_standard_error, mean_residual
from models.nonresponse.estimate import AnswerMetric, NonresponseModel
from models.nonresponse.ipw_weights import LOWEST_PROPENSITY

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Quantile of the respondents' propensity below which customers are not covered.
LOWEST_QUANTILE = 0.01


@dataclass(frozen=True)
class Overlap:
    """The customers of a snapshot compared with the respondents.

    A customer is `covered` if their propensity is within the range of the respondents', the lowest
    hundredth excluded: outside it no comparable customer has answered. `invited` and `answered` count
    the customers with a recent invitation or answer.
    """

    customers: int
    invited: int
    answered: int
    covered: Mask

    @property
    def share(self) -> float:
        """The share of customers that is covered; NaN without customers."""
        return float(self.covered.mean()) if self.customers else float("nan")


def measure_overlap(model: NonresponseModel, snapshot: pa.Table, propensity: Floats) -> Overlap:
    """Find the customers of a snapshot that are covered; `propensity` is theirs if invited now."""
    responded = model.invitations.answered & model.invitations.recent
    observed = model.propensity.out_of_fold[responded]
    lowest = max(LOWEST_PROPENSITY, float(np.quantile(observed, LOWEST_QUANTILE)))
    highest = float(observed.max())
    ids = snapshot["customer_id"].to_pylist()
    invited, answered = (
        {model.invitations.ids[c] for c in np.unique(model.invitations.customer[mask])}
        for mask in (model.invitations.recent, responded)
    )
    return Overlap(
        customers=len(ids),
        invited=sum(i in invited for i in ids),
        answered=sum(i in answered for i in ids),
        covered=np.asarray((propensity >= lowest) & (propensity <= highest)),
    )


def estimate_all_customers(
    model: NonresponseModel, metric: AnswerMetric, shares: Floats
) -> MeanEstimate:
    """The metric over all customers of a snapshot, from the predicted probabilities of their classes.

    The mean prediction plus the mean error among the invited customers. For customers never invited
    it relies on the outcome model alone.
    """
    expected = metric.expected(shares)
    shift = mean_residual(model.aipw_inputs(metric))
    spread = clustered_standard_error(
        (expected - expected.mean()) / len(expected), np.arange(len(expected))
    )
    return MeanEstimate(float(expected.mean()) + shift.value, float(np.hypot(spread, shift.error)))
