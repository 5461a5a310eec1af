"""Exact 95% intervals where nothing was seen to vary: no complaint, everybody of one opinion."""

import numpy as np
from numpy.typing import NDArray

from models.evaluation.bootstrap import Interval
from models.nonresponse.aipw import clustered_standard_error

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def effective_customers(weight: Floats, customer: Ints) -> float:
    """Return the number of equally weighted customers with the same variance (Kish 1965)."""
    total = np.bincount(customer, weight)
    return float(total.sum() ** 2 / (total**2).sum())


def count_interval(values: Floats, weight: Floats, customer: Ints, scale: float) -> Interval:
    """Return a weighted mean count per customer, times `scale`, with its exact Poisson interval.

    `values` are the scaled counts of the rows. Garwood (1936): quantiles of gamma distributions. With
    weights, repeated rows and several events of one customer, the number of events is replaced by the
    number with the same relative standard error, at most the number of events (Fay and Feuer 1997).
    Without any event, the upper end is 3.69 events over the effective number of customers.
    """
    from scipy.stats import gamma

    value = float(np.average(values, weights=weight))
    if value <= 0:
        high = scale * gamma.ppf(0.975, 1.0) / effective_customers(weight, customer)
        return Interval(0.0, 0.0, float(high))
    events = float(values.sum()) / scale
    error = clustered_standard_error(weight / weight.sum() * (values - value), customer)
    if np.isfinite(error) and error > 0:
        events = min(events, (value / error) ** 2)
    low, high = gamma.ppf(0.025, events), gamma.ppf(0.975, events + 1)
    return Interval(value, float(value * low / events), float(value * high / events))


def unanimous_interval(
    value: float, customers: float, bounds: tuple[float, float] | None
) -> Interval:
    """Return the interval of a mean of equal answers between two `bounds`; without bounds, no ends.

    At most the share 1 - 0.05^(1/n) of all customers answers otherwise (95%, Clopper and Pearson 1934;
    about 3/n), at worst with an answer at the end of the scale.
    """
    if bounds is None:
        return Interval(value, float("nan"), float("nan"))
    others = 1 - 0.05 ** (1 / customers)
    low, high = bounds
    return Interval(value, value - others * (value - low), value + others * (high - value))
