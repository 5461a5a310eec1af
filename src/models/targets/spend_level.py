"""A customer's usual spending level, and the unit in which their future value is predicted.

Trees cannot extrapolate, and the largest customers of a wholesaler are far from the rest. The value
model therefore predicts a multiple of a unit derived from the customer's own spending level. With
absolute errors weighted by that unit, this minimises the absolute error in money: `unit * |y / unit - f|
= |y - unit * f|`. The unit is the square root of the level: for a shop with similar customers the
level itself predicts worse than plain money, for a wholesaler plain money is worse than the level.
"""

import json
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: The floor as a share of the median level; new customers get the floor.
FLOOR_SHARE = 0.2
#: The unit is the level to this power.
POWER = 0.5


@dataclass(frozen=True)
class SpendLevel:
    """The larger of three rates of net revenue, each over `horizon_days`, above a floor.

    The rates cover the last horizon, the last year, and the time since the customer's first event.
    The unit is the level to the `power`; models of older versions have 1.
    """

    horizon_days: int
    floor: float
    power: float = 1.0

    @classmethod
    def fit(cls, features: pa.Table, horizon_days: int) -> "SpendLevel":
        """Set the floor from the training rows; at least 1 unit of money."""
        levels = cls(horizon_days, 0.0).usual(features)
        spending = levels[levels > 0]
        median = float(np.median(spending)) if len(spending) else 0.0
        return cls(horizon_days, max(1.0, FLOOR_SHARE * median), POWER)

    def of(self, features: pa.Table) -> Floats:
        """The unit in which the value of each row is predicted; positive."""
        return np.asarray(self.usual(features) ** self.power)

    def usual(self, features: pa.Table) -> Floats:
        """The spending level of each row, in money per horizon; at least the floor."""
        days = float(self.horizon_days)
        tenure = np.maximum(_column(features, "tenure_days", days), days)
        rates = (
            _column(features, f"revenue_{self.horizon_days}d", 0.0),
            _column(features, "revenue_365d", 0.0) * days / np.minimum(tenure, 365.0),
            _column(features, "revenue_all", 0.0) * days / tenure,
        )
        return np.asarray(self.floor + np.maximum(np.maximum.reduce(rates), 0.0))

    def to_json(self) -> str:
        return json.dumps(asdict(self))


def _column(features: pa.Table, name: str, missing: float) -> Floats:
    return np.asarray(np.nan_to_num(features[name].to_numpy(), nan=missing))
