"""Who a target is about, told by the features of a customer at a cutoff."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


@dataclass(frozen=True)
class Condition:
    """Who belongs to a target's population, told by a feature: `at_least <= column <= at_most`."""

    column: str
    at_least: float | None = None
    at_most: float | None = None


def members(features: pa.Table, condition: Condition | None) -> NDArray[np.bool_]:
    """Which rows belong to a target's population; a missing value does not."""
    if condition is None:
        return np.ones(features.num_rows, bool)
    value = np.asarray(features[condition.column].to_numpy(), np.float64)
    inside = np.asarray(~np.isnan(value))
    if condition.at_least is not None:
        inside &= np.nan_to_num(value, nan=-np.inf) >= condition.at_least
    if condition.at_most is not None:
        inside &= np.nan_to_num(value, nan=np.inf) <= condition.at_most
    return inside
