"""How many outcomes lie in their range: over everybody, and in each group of customers."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.evaluation.calibration_error import ENOUGH_ROWS, wilson_interval
from models.evaluation.slices import find_groups, attribute_title

Floats = NDArray[np.float64]
#: Rows apart by a millionth of their size are equal: a range of nothing holds an outcome of nothing.
EDGE = 1e-6


@dataclass(frozen=True)
class IntervalCoverage:
    """The share of a group's outcomes that lie in their range, its 95 % interval (`low`, `high`).

    `below` and `above` are the shares that lie outside, `width` is the median width of the ranges.
    """

    name: str
    rows: int
    share: float
    low: float
    high: float
    below: float
    above: float
    width: float


def interval_coverage(y: Floats, low: Floats, high: Floats, weight: Floats, name: str = "all") -> IntervalCoverage:
    """How many of the outcomes `y` lie between `low` and `high`, both ends included.

    The interval is Wilson's at Kish's effective number of rows.
    """
    edge = EDGE * (np.abs(y) + 1.0)
    below, above = y < low - edge, y > high + edge
    share = float(np.average(~(below | above), weights=weight))
    size = weight.sum() ** 2 / (weight**2).sum()
    (least,), (most,) = wilson_interval(np.array([share]), np.array([size]))
    return IntervalCoverage(
        name,
        len(y),
        share,
        float(least),
        float(most),
        float(np.average(below, weights=weight)),
        float(np.average(above, weights=weight)),
        float(np.median(high - low)),
    )


def interval_coverage_by_segment(
    features: pa.Table, y: Floats, ranges: tuple[Floats, Floats], weight: Floats
) -> tuple[IntervalCoverage, ...]:
    """The coverage of every group of customers (`slicing.groups_of`) with 500 rows or more."""
    low, high = ranges
    return tuple(
        interval_coverage(
            y[group.rows], low[group.rows], high[group.rows], weight[group.rows],
            f"{attribute_title(group.column)}: {group.value}",
        )
        for group in find_groups(features).found
        if group.rows.sum() >= ENOUGH_ROWS
    )  # fmt: skip
