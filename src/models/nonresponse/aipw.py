"""The mean of what everybody asked would have answered, right if either of two models is.

Augmented inverse probability weighting (Robins, Rotnitzky and Zhao 1994) with cross-fitted models
(Chernozhukov et al. 2018): the mean prediction for all who were asked, corrected by the weighted
errors among those who answered.
"""

from dataclasses import asdict, dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Standard errors on either side of a 95 % interval.
REACH = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Estimate:
    """A figure with its standard error; the interval holds the true one 95 times in 100."""

    value: float
    error: float

    @property
    def low(self) -> float:
        return self.value - REACH * self.error

    @property
    def high(self) -> float:
        return self.value + REACH * self.error

    def to_dict(self) -> dict[str, float | None]:
        """The figure as JSON tells it; what one customer alone cannot tell is None."""
        told = {**asdict(self), "low": self.low, "high": self.high}
        return {name: number if np.isfinite(number) else None for name, number in told.items()}


@dataclass(frozen=True)
class Answers:
    """What was said and what was predicted, one element an invitation.

    `said` is anything where nobody answered, there `weight` is 0; `expected` is the prediction of
    a model that has not seen the customer, `base` the survey's own weight.
    """

    said: Floats
    expected: Floats
    weight: Floats
    base: Floats
    customer: Ints


def naive(said: Floats, weight: Floats, customer: Ints) -> Estimate:
    """The mean of those who answered, as if they were everybody; `weight` is 0 without an answer."""
    known = np.where(weight > 0, said, 0.0)
    mean = float(np.average(known, weights=weight))
    return Estimate(mean, clustered(weight / weight.sum() * (known - mean), customer))


def doubly_robust(answers: Answers) -> Estimate:
    """The mean of everybody asked; its error is that of the influence function, by customer.

    It holds for customers such as these; for just those who were asked it is a little too wide.
    """
    influence = shift_influence(answers)
    shift = correction(answers).value
    value = float(np.average(answers.expected, weights=answers.base))
    spread = answers.base / answers.base.sum() * (answers.expected - value)
    return Estimate(value + shift, clustered(spread + influence, answers.customer))


def correction(answers: Answers) -> Estimate:
    """By how much the predictions are wrong on average, told by those who answered."""
    error = clustered(shift_influence(answers), answers.customer)
    return Estimate(float(np.average(_misses(answers), weights=answers.weight)), error)


def shift_influence(answers: Answers) -> Floats:
    """What each invitation adds to the correction beyond its share."""
    misses = _misses(answers)
    mean = np.average(misses, weights=answers.weight)
    return np.asarray(answers.weight / answers.weight.sum() * (misses - mean))


def clustered(influence: Floats, customer: Ints) -> float:
    """The standard error of a sum whose terms are alike within a customer; infinite for one."""
    by_customer = np.bincount(customer, influence)
    count = len(np.unique(customer))
    if count < 2:
        return float("inf")
    return float(np.sqrt(count / (count - 1) * (by_customer**2).sum()))


def _misses(answers: Answers) -> Floats:
    return np.where(answers.weight > 0, answers.said - answers.expected, 0.0)
