"""Taking the change of the base rate out of predictions, before their calibration is learnt.

Between the rows that fit and the later rows that validate, the share of leavers may have moved: a
season, a campaign. The model that ships has learnt from both, so that step is not its error. What
calibration should learn is the shape: whether strong predictions are too strong.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
STEPS = 50


def without_drift(prediction: Floats, y: Floats, weight: Floats) -> Floats:
    """Predictions moved on the log-odds (log-probability) scale until their mean is the actual one.

    (n,) for a binary target, (n, K) for classes, whose shares are met by proportional fitting.
    """
    if prediction.ndim == 1:
        both = np.column_stack([1 - prediction, prediction])
        return without_drift(both, y, weight)[:, 1]
    shares = np.array([np.average(y == k, weights=weight) for k in range(prediction.shape[1])])
    moved = prediction
    for _ in range(STEPS):
        means = np.average(moved, axis=0, weights=weight)
        moved = moved * np.maximum(shares, 1e-9) / means
        moved = moved / moved.sum(axis=1, keepdims=True)
    return moved
