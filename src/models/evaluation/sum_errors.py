"""How far sums of expected values are off: over rolling origins, and for any group of customers.

Two errors add up. One is common to all customers: the next period may be better or worse than those the
model has seen, as the origins show. The other is each customer's own, and averages out in large groups.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.evaluation.bootstrap import Interval

Floats = NDArray[np.float64]
#: The variance of a customer's value is `dispersion` times its mean to this power (Tweedie).
POWER = 1.5
RESAMPLES = 400
#: The ends of a 90% interval.
ENDS = (0.05, 0.95)


@dataclass(frozen=True)
class PredictedOrigin:
    """Rows of one cutoff, predicted by a model that knew only what was known then."""

    cutoff: str
    customer: NDArray[np.int64]
    actual: Floats
    predicted: Floats


@dataclass(frozen=True)
class OriginSum:
    """The sums of the customers of one cutoff."""

    cutoff: str
    customers: int
    predicted: float
    actual: float


@dataclass(frozen=True)
class SumErrors:
    """Sums of each origin, predicted over actual of all together, and what an interval needs.

    `low` and `high` are the ends of the 90% interval of `ratio`, over origins and customers; NaN where
    nothing came. `common` is the standard error of a sum as a share of it, that averages out over no
    number of customers; `dispersion` times the mean to the power 1.5 is a customer's own variance.
    """

    origins: tuple[OriginSum, ...]
    ratio: float
    low: float
    high: float
    common: float
    dispersion: float

    @classmethod
    def fit(cls, origins: Sequence[PredictedOrigin], seed: int = 0) -> "SumErrors":
        """Compare predicted and actual sums of one origin or more."""
        predicted, actual = _by_customer(origins)
        sums = tuple(
            OriginSum(o.cutoff, len(o.actual), float(o.predicted.sum()), float(o.actual.sum()))
            for o in origins
        )
        dispersion = _dispersion(origins)
        ends = _resampled_ratios(predicted, actual, seed)
        return cls(
            sums,
            _ratio(predicted.sum(), actual.sum()),
            *ends,
            _common(origins, dispersion),
            dispersion,
        )

    @property
    def interval(self) -> Interval:
        """Predicted over actual sums, with the 90% interval."""
        return Interval(self.ratio, self.low, self.high)

    def of_sum(self, expected: Floats, share: Floats | float = 1.0) -> tuple[float, float, float]:
        """The sum of `share` of each expected value, and the ends of its 90% interval.

        `share` is 1 for a total and the probability of leaving for the value at risk. Missing values
        are left out. The lower end is at least 0 for a sum that is.
        """
        known = np.isfinite(expected * share)
        mean = np.asarray(expected * share)[known]
        own = (np.broadcast_to(share, np.shape(expected))[known] ** 2) * _variance(
            expected[known], self.dispersion
        )
        total = float(mean.sum())
        half = 1.645 * float(np.sqrt((self.common * total) ** 2 + own.sum()))
        low = total - half
        return total, max(low, 0.0) if total >= 0 else low, total + half

    def to_dict(self) -> dict[str, Any]:
        """As stored in the manifest; NaN as None."""
        numbers = {k: float(v) for k, v in asdict(self).items() if k != "origins"}
        finite = {k: v if np.isfinite(v) else None for k, v in numbers.items()}
        return {"origins": [asdict(o) for o in self.origins], **finite}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> "SumErrors":
        """Read the output of `to_dict`."""
        numbers = {k: float("nan") if v is None else v for k, v in raw.items() if k != "origins"}
        return cls(tuple(OriginSum(**o) for o in raw["origins"]), **numbers)


def _by_customer(origins: Sequence[PredictedOrigin]) -> tuple[Floats, Floats]:
    """Predicted and actual sums by origin and customer (origins, customers)."""
    count = max(int(o.customer.max(initial=0)) for o in origins) + 1
    sums = [
        (np.bincount(o.customer, o.predicted, count), np.bincount(o.customer, o.actual, count))
        for o in origins
    ]
    predicted, actual = zip(*sums, strict=True)
    return np.array(predicted), np.array(actual)


def _ratio(predicted: float, actual: float) -> float:
    return float(predicted / actual) if actual > 0 else float("nan")


def _resampled_ratios(predicted: Floats, actual: Floats, seed: int) -> tuple[float, float]:
    """The 90% interval of the ratio: origins and customers are drawn with replacement."""
    rng = np.random.default_rng(seed)
    origins, customers = predicted.shape
    found = []
    for _ in range(RESAMPLES):
        times = np.bincount(rng.integers(0, customers, customers), minlength=customers)
        often = np.bincount(rng.integers(0, origins, origins), minlength=origins)
        found.append(_ratio(float(often @ predicted @ times), float(often @ actual @ times)))
    defined = np.array(found)[np.isfinite(found)]
    if not len(defined):
        return float("nan"), float("nan")
    low, high = np.quantile(defined, ENDS)
    return float(low), float(high)


def _variance(mean: Floats, dispersion: float) -> Floats:
    return np.asarray(dispersion * np.maximum(mean, 0.0) ** POWER)


def _dispersion(origins: Sequence[PredictedOrigin]) -> float:
    """Pearson's estimate: squared errors over the variance function."""
    squared = sum(float(((o.actual - o.predicted) ** 2).sum()) for o in origins)
    scale = sum(float(_variance(o.predicted, 1.0).sum()) for o in origins)
    return squared / scale if scale > 0 else 0.0


def _common(origins: Sequence[PredictedOrigin], dispersion: float) -> float:
    """The root mean square of the origins' relative errors, beyond those of the customers.

    Of few origins, it is enlarged as Student's t is against the normal distribution.
    """
    from scipy.stats import t

    squares, own = [], []
    for o in origins:
        total = float(o.predicted.sum())
        if total > 0:
            squares.append((float(o.actual.sum()) / total - 1) ** 2)
            own.append(float(_variance(o.predicted, dispersion).sum()) / total**2)
    if not squares:
        return float("nan")
    beyond = max(float(np.mean(squares) - np.mean(own)), 0.0)
    return float(np.sqrt(beyond) * t.ppf(ENDS[1], len(squares)) / 1.645)
