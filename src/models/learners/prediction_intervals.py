"""Ranges that hold nine of ten outcomes: how far a predicted value or satisfaction can be off.

Learnt from predictions for customers the trees had not seen (`models.learners.cross_fitting`), over
all cutoffs of training, so that every season counts.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.learners.leaf_groups import LeafGroups

Floats = NDArray[np.float64]
#: The share of outcomes a range is to hold, and the share that may lie below it.
COVERAGE, BELOW = 0.90, 0.05
#: What the groups of the value ranges are told apart by, beside the prediction and the level.
HISTORY = ("tenure_days", "orders_365d", "days_since_order", "orders_all")


@dataclass(frozen=True)
class ValueIntervals:
    """Ranges of future value in multiples of a unit of each customer, by group of customers.

    `low` and `high` belong to the tree's nodes (0 where a node is no leaf); `columns` are the
    feature columns the tree reads after the predicted multiple and the logarithm of the unit.
    """

    cells: LeafGroups
    columns: tuple[str, ...]
    low: list[float]
    high: list[float]

    @classmethod
    def fit(cls, features: pa.Table, multiple: Floats, level: Floats, y: Floats) -> "ValueIntervals":
        """Learn from `multiple`, predictions (n,) for rows not learnt from, and what came, `y`."""
        columns = tuple(c for c in HISTORY if c in features.column_names)
        inputs = _inputs(features, columns, multiple, level)
        actual = y / level
        cells = LeafGroups.fit(inputs, np.log1p(np.maximum(actual, 0.0)))
        leaf = cells.of(inputs)
        low, high = np.zeros(len(cells.feature)), np.zeros(len(cells.feature))
        for node in cells.leaves:
            low[node], high[node] = central_interval(actual[leaf == node])
        return cls(cells, columns, low.tolist(), high.tolist())

    def of(self, features: pa.Table, value: Floats, level: Floats) -> tuple[Floats, Floats]:
        """The range (low, high) of each row, in money; it holds the predicted `value`."""
        node = self.cells.of(_inputs(features, self.columns, value / level, level))
        low, high = np.array(self.low)[node] * level, np.array(self.high)[node] * level
        return np.minimum(low, value), np.maximum(high, value)

    def to_dict(self) -> dict[str, Any]:
        """The ranges as a manifest holds them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> "ValueIntervals":
        """The ranges that `to_dict` gave."""
        return cls(LeafGroups(**raw["cells"]), tuple(raw["columns"]), raw["low"], raw["high"])


def central_interval(outcome: Floats, coverage: float = COVERAGE) -> tuple[float, float]:
    """The range that holds a share of the outcomes and leaves a twentieth of them below.

    Where many outcomes are equal (nothing spent), fewer lie below; the upper end makes up for it, so
    that the range holds nine of ten and not more. The rank is that of split conformal prediction.
    """
    ordered = np.sort(outcome)
    count = len(ordered)
    low = ordered[int(BELOW * (count - 1))]
    below = int(np.searchsorted(ordered, low))
    rank = min(count, below + int(np.ceil(coverage * (count + 1)))) - 1
    return float(low), float(ordered[rank])


def _inputs(
    features: pa.Table, columns: tuple[str, ...], multiple: Floats, level: Floats
) -> Floats:
    history = [np.nan_to_num(features[c].to_numpy().astype(np.float64), nan=-1.0) for c in columns]
    return np.column_stack([multiple, np.log(level), *history])


@dataclass(frozen=True)
class LevelIntervals:
    """Ranges of a satisfaction answer: the narrowest run of levels with enough probability."""

    enough: float

    @classmethod
    def fit(cls, shares: Floats, y: Floats, weight: Floats) -> "LevelIntervals":
        """Find the probability at which nine of ten answers lie in their range.

        `shares` are calibrated class probabilities (n, K) for rows not learnt from, `y` the levels
        0..K-1. Adaptive prediction sets (Romano, Sesia, Candès 2020) of neighbouring levels.
        """
        grid = np.linspace(0.5, 0.999, 100)
        held = [np.average(_held(shares, y, float(g)), weights=weight) for g in grid]
        found = np.flatnonzero(np.array(held) >= COVERAGE)
        return cls(float(grid[found[0]] if len(found) else 1.0))

    def of(self, shares: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The lowest and the highest level of each row's range, 0..K-1."""
        return shortest_level_run(shares, self.enough)


def _held(shares: Floats, y: Floats, enough: float) -> NDArray[np.bool_]:
    low, high = shortest_level_run(shares, enough)
    return np.asarray((y >= low) & (y <= high))


def shortest_level_run(shares: Floats, enough: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last class of the shortest run with probability `enough`; the likelier of equals."""
    count, classes = shares.shape
    total = np.column_stack([np.zeros(count), np.cumsum(shares, axis=1)])
    low, high = np.zeros(count, np.int64), np.full(count, classes - 1, np.int64)
    open_ = np.ones(count, bool)
    for width in range(1, classes):
        mass = total[:, width:] - total[:, : classes - width + 1]
        best = mass.argmax(axis=1)
        found = open_ & (mass[np.arange(count), best] >= enough)
        low[found], high[found] = best[found], best[found] + width - 1
        open_ &= ~found
    return low, high
