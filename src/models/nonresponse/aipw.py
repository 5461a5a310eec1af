"""Non-response-corrected means: augmented inverse probability weighting (AIPW).

The estimate is right if either the response propensity or the outcome model is right (Robins,
Rotnitzky and Zhao 1994); the models are cross-fitted (Chernozhukov et al. 2018). It is the mean
prediction for all invitations plus the weighted mean error among the respondents.
"""

from dataclasses import asdict, dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Standard errors on either side of a 95% interval.
Z_95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class MeanEstimate:
    """An estimate with its standard error and 95% confidence interval."""

    value: float
    error: float

    @property
    def low(self) -> float:
        return self.value - Z_95 * self.error

    @property
    def high(self) -> float:
        return self.value + Z_95 * self.error

    def to_dict(self) -> dict[str, float | None]:
        """The estimate as JSON values; non-finite numbers, as with a single customer, are None."""
        numbers = {**asdict(self), "low": self.low, "high": self.high}
        return {name: number if np.isfinite(number) else None for name, number in numbers.items()}


@dataclass(frozen=True)
class AipwInputs:
    """Observed and predicted answers, one element per invitation.

    `observed` is arbitrary where there is no answer; there `weight` is 0. `predicted` is the
    out-of-fold prediction, `base_weight` the survey's own weight.
    """

    observed: Floats
    predicted: Floats
    weight: Floats
    base_weight: Floats
    customer: Ints


def respondent_mean(observed: Floats, weight: Floats, customer: Ints) -> MeanEstimate:
    """The uncorrected mean of the respondents; `weight` is 0 without an answer."""
    known = np.where(weight > 0, observed, 0.0)
    mean = float(np.average(known, weights=weight))
    influence = weight / weight.sum() * (known - mean)
    return MeanEstimate(mean, clustered_standard_error(influence, customer))


def aipw_mean(inputs: AipwInputs) -> MeanEstimate:
    """The corrected mean over all invitations; its error is clustered by customer.

    The error is that for a population of such customers; for the invited customers alone it is
    slightly too large.
    """
    influence = residual_influence(inputs)
    shift = mean_residual(inputs).value
    value = float(np.average(inputs.predicted, weights=inputs.base_weight))
    spread = inputs.base_weight / inputs.base_weight.sum() * (inputs.predicted - value)
    error = clustered_standard_error(spread + influence, inputs.customer)
    return MeanEstimate(value + shift, error)


def mean_residual(inputs: AipwInputs) -> MeanEstimate:
    """The weighted mean error of the predictions among the respondents."""
    error = clustered_standard_error(residual_influence(inputs), inputs.customer)
    return MeanEstimate(float(np.average(_residuals(inputs), weights=inputs.weight)), error)


def residual_influence(inputs: AipwInputs) -> Floats:
    """The influence of each invitation on `mean_residual`."""
    residuals = _residuals(inputs)
    mean = np.average(residuals, weights=inputs.weight)
    return np.asarray(inputs.weight / inputs.weight.sum() * (residuals - mean))


def clustered_standard_error(influence: Floats, customer: Ints) -> float:
    """The standard error of a sum of terms clustered by customer; infinite for one customer."""
    by_customer = np.bincount(customer, influence)
    count = len(np.unique(customer))
    if count < 2:
        return float("inf")
    return float(np.sqrt(count / (count - 1) * (by_customer**2).sum()))


def _residuals(inputs: AipwInputs) -> Floats:
    return np.where(inputs.weight > 0, inputs.observed - inputs.predicted, 0.0)
