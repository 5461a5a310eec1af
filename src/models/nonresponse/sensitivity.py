"""Sensitivity of the corrected estimate to unobserved causes of non-response.

Zhao, Small and Bhattacharya (2019): among customers with equal features, the odds of answering may
differ by up to a factor gamma, in the least favourable way.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.nonresponse.aipw import AipwInputs

Floats = NDArray[np.float64]

GAMMAS = (1.0, 1.25, 1.5, 2.0, 3.0)
#: Largest gamma that is searched.
MOST = 20.0


@dataclass(frozen=True)
class SensitivityBound:
    """The lowest and the highest possible estimate for one gamma."""

    gamma: float
    low: float
    high: float


def sensitivity_bound(inputs: AipwInputs, propensity: Floats, gamma: float) -> SensitivityBound:
    """Bounds of the corrected estimate when odds of answering differ by up to `gamma`.

    Each respondent's weight may lie between the inverse propensities at odds / gamma and at
    odds x gamma. The extremes give the small weights to residuals on one side of a threshold and the
    large weights to the others. Sampling error is not included. Raises ValueError for gamma < 1.
    """
    if gamma < 1:
        raise ValueError(f"gamma is {gamma}; it is a ratio of odds and must be at least 1")
    responded = inputs.weight > 0
    residuals = (inputs.observed - inputs.predicted)[responded]
    base, odds = inputs.base_weight[responded], 1.0 / propensity[responded] - 1.0
    light, heavy = base * (1 + odds / gamma), base * (1 + odds * gamma)
    level = float(np.average(inputs.predicted, weights=inputs.base_weight))
    high = _largest_mean(residuals, light, heavy)
    low = -_largest_mean(-residuals, light, heavy)
    return SensitivityBound(gamma, level + low, level + high)


def smallest_gamma(value: float, inputs: AipwInputs, propensity: Floats) -> float | None:
    """The smallest gamma whose bounds contain `value`; None if it is larger than `MOST`."""

    def contains(gamma: float) -> bool:
        bounds = sensitivity_bound(inputs, propensity, gamma)
        return bounds.low <= value <= bounds.high

    if contains(1.0):
        return 1.0
    if not contains(MOST):
        return None
    low, high = 1.0, MOST
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (low, middle) if contains(middle) else (middle, high)
    return high


def _largest_mean(values: Floats, light: Floats, heavy: Floats) -> float:
    """The largest weighted mean with each weight between `light` and `heavy`."""
    order = np.argsort(-values, kind="stable")
    values, light, heavy = values[order], light[order], heavy[order]

    def cumulate(weights: Floats) -> Floats:
        return np.concatenate(([0.0], np.cumsum(weights)))

    sums = cumulate(heavy * values) + (light * values).sum() - cumulate(light * values)
    masses = cumulate(heavy) + light.sum() - cumulate(light)
    return float((sums / masses).max())
