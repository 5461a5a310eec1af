"""The median of a customer's value: the amount that they spend more than as often as less."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.learners.lightgbm import Estimator
from models.targets.spend_level import SpendLevel


def predict_typical(
    median: Estimator, spend: SpendLevel, features: pa.Table, never_negative: bool
) -> NDArray[np.float64]:
    """The median of each row in money; at least 0 where no customer's value was ever negative."""
    value = median.predict(features) * spend.of(features)
    return np.maximum(value, 0.0) if never_negative else value
