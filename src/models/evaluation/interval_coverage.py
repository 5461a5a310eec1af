"""Coverage of prediction intervals, overall and by customer group."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.evaluation.calibration_error import ENOUGH_ROWS, wilson_interval
from models.evaluation.slices import attribute_title, find_groups

Floats = NDArray[np.float64]
#: Relative tolerance: an interval of width zero still covers an equal outcome.
TOLERANCE = 1e-6


@dataclass(frozen=True)
class IntervalCoverage:
    """The share of outcomes inside their prediction interval, with its 95% interval (`low`, `high`).

    `below` and `above` are the shares outside; `width` is the median width of the intervals.
    """

    name: str
    rows: int
    share: float
    low: float
    high: float
    below: float
    above: float
    width: float


def interval_coverage(
    y: Floats, low: Floats, high: Floats, weight: Floats, name: str = "all"
) -> IntervalCoverage:
    """The coverage of the intervals `low` to `high`, both ends included, for the outcomes `y`.

    The confidence interval is Wilson's at Kish's effective sample size.
    """
    edge = TOLERANCE * (np.abs(y) + 1.0)
    below, above = y < low - edge, y > high + edge
    share = float(np.average(~(below | above), weights=weight))
    size = weight.sum() ** 2 / (weight**2).sum()
    (lower,), (upper,) = wilson_interval(np.array([share]), np.array([size]))
    return IntervalCoverage(
        name,
        len(y),
        share,
        float(lower),
        float(upper),
        float(np.average(below, weights=weight)),
        float(np.average(above, weights=weight)),
        float(np.median(high - low)),
    )


def interval_coverage_by_segment(
    features: pa.Table, y: Floats, intervals: tuple[Floats, Floats], weight: Floats
) -> tuple[IntervalCoverage, ...]:
    """The interval coverage of every customer group (`find_groups`) with at least 500 rows."""
    low, high = intervals
    return tuple(
        interval_coverage(
            y[group.rows], low[group.rows], high[group.rows], weight[group.rows],
            f"{attribute_title(group.column)}: {group.value}",
        )
        for group in find_groups(features).found
        if group.rows.sum() >= ENOUGH_ROWS
    )  # fmt: skip
