"""90% prediction intervals of value and satisfaction.

Fitted on out-of-fold predictions (`models.learners.cross_fitting`) of all training cutoffs, so that
every season is included; those of value weigh later cutoffs more.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.history.history_table import DAY
from models.learners.cross_fitting import assign_folds

Floats = NDArray[np.float64]
#: The nominal coverage of an interval, and the share of outcomes below it.
COVERAGE, BELOW = 0.90, 0.05
#: Relative tolerance of sums of weights.
EDGE = 1e-12
#: Columns that define the groups of the value intervals, besides the prediction and the level.
HISTORY = ("tenure_days", "orders_365d", "days_since_order", "orders_all")
MAX_GROUPS = 24
#: Minimum rows of a group: its outer 5% tails then hold 20 rows each.
MIN_GROUP_ROWS = 400
#: Minimum rows for quantiles of a group's own; a group with fewer takes those of all rows.
MIN_QUANTILE_ROWS = 50
#: A cutoff that is so many days older than the latest one weighs half.
HALF_LIFE_DAYS = 365.0


@dataclass(frozen=True)
class LeafGroups:
    """Customer groups with similar prediction errors: the leaves of a small regression tree.

    An interval calibrated within a group has its coverage for customers like these, not only on
    average: Mondrian conformal prediction (Vovk et al. 2005, section 4.5).
    The tree is stored by its nodes; a node with a negative `feature` is a leaf, others send values up to
    the threshold to the left.
    """

    feature: list[int]
    threshold: list[float]
    left: list[int]
    right: list[int]

    @classmethod
    def fit(cls, inputs: Floats, outcome: Floats) -> "LeafGroups":
        """Find groups of at least 400 rows (or a quarter of few rows) that differ most in the outcome.

        `inputs` has shape (rows, columns), without missing values.
        """
        from sklearn.tree import DecisionTreeRegressor  # only in training

        least = min(MIN_GROUP_ROWS, max(1, len(outcome) // 4))
        grown = DecisionTreeRegressor(
            max_leaf_nodes=MAX_GROUPS, min_samples_leaf=least, random_state=0
        ).fit(inputs, outcome)
        tree = grown.tree_
        inner = tree.children_left >= 0
        return cls(
            np.where(inner, tree.feature, -1).tolist(),
            np.where(inner, tree.threshold, 0.0).tolist(),
            tree.children_left.tolist(),
            tree.children_right.tolist(),
        )

    def assign(self, inputs: Floats) -> NDArray[np.int64]:
        """The node number of each row's leaf."""
        feature, threshold = np.array(self.feature), np.array(self.threshold)
        left, right = np.array(self.left), np.array(self.right)
        node = np.zeros(len(inputs), np.int64)
        rows = np.arange(len(inputs))
        # scikit-learn compares in single precision; double precision would move values at a threshold.
        values = inputs.astype(np.float32)
        while (inner := feature[node] >= 0).any():
            at = node[inner]
            goes_left = values[rows[inner], feature[at]] <= threshold[at]
            node[inner] = np.where(goes_left, left[at], right[at])
        return node

    @property
    def leaves(self) -> list[int]:
        """The node numbers of the leaves."""
        return [i for i, feature in enumerate(self.feature) if feature < 0]


@dataclass(frozen=True)
class ValueIntervals:
    """Intervals of future value by customer group, in multiples of each customer's spend level.

    `low` and `high` are indexed by the nodes of the tree (0 for inner nodes); `columns` are the
    feature columns the tree reads after the predicted multiple and the logarithm of the level.
    """

    cells: LeafGroups
    columns: tuple[str, ...]
    low: list[float]
    high: list[float]

    @classmethod
    def fit(
        cls,
        features: pa.Table,
        multiple: Floats,
        level: Floats,
        y: Floats,
        customer: NDArray[np.int64],
        cutoff: NDArray[np.int64],
    ) -> "ValueIntervals":
        """Fit on out-of-fold predictions `multiple` (n,) and the actual values `y`.

        Half of the customers find the groups, the other half their quantiles: on the rows that found
        them, groups look more alike than they are. `cutoff` is in microseconds.
        """
        columns = tuple(c for c in HISTORY if c in features.column_names)
        inputs = _inputs(features, columns, multiple, level)
        actual = y / level
        finds, measures = _halves(customer)
        cells = LeafGroups.fit(inputs[finds], np.log1p(np.maximum(actual[finds], 0.0)))
        leaf, actual = cells.assign(inputs[measures]), actual[measures]
        weight = recency_weight(cutoff)[measures]
        low, high = np.zeros(len(cells.feature)), np.zeros(len(cells.feature))
        for node in cells.leaves:
            rows = leaf == node
            rows = rows if rows.sum() >= MIN_QUANTILE_ROWS else np.ones(len(leaf), bool)
            low[node], high[node] = central_interval(actual[rows], weight[rows])
        return cls(cells, columns, low.tolist(), high.tolist())

    def predict(self, features: pa.Table, value: Floats, level: Floats) -> tuple[Floats, Floats]:
        """The interval (low, high) of each row in money; it contains the predicted `value`."""
        node = self._node(features, value, level)
        low, high = np.array(self.low)[node] * level, np.array(self.high)[node] * level
        return np.minimum(low, value), np.maximum(high, value)

    def spends_nothing(self, features: pa.Table, value: Floats, level: Floats) -> NDArray[np.bool_]:
        """Mark the rows of groups in which so many spend nothing that the interval is 0 to 0.

        More than 90% of them are covered by necessity, so that coverage is stated apart for them.
        """
        node = self._node(features, value, level)
        return np.asarray((np.array(self.low)[node] == 0) & (np.array(self.high)[node] == 0))

    def _node(self, features: pa.Table, value: Floats, level: Floats) -> NDArray[np.int64]:
        return self.cells.assign(_inputs(features, self.columns, value / level, level))

    def to_dict(self) -> dict[str, Any]:
        """The intervals as stored in the manifest."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> "ValueIntervals":
        """Read the output of `to_dict`."""
        return cls(LeafGroups(**raw["cells"]), tuple(raw["columns"]), raw["low"], raw["high"])


def recency_weight(cutoff: NDArray[np.int64]) -> Floats:
    """The weight of rows by their cutoff, in microseconds: 1 for the latest, half a year earlier."""
    age = (cutoff.max(initial=0) - cutoff) / DAY
    return np.asarray(0.5 ** (age / HALF_LIFE_DAYS))


def _halves(customer: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Two halves of the rows by customer; all rows twice where one would be empty."""
    first = assign_folds(customer, 2) == 0
    if first.all() or not first.any():
        return np.ones(len(first), bool), np.ones(len(first), bool)
    return first, ~first


def central_interval(
    outcome: Floats, weight: Floats | None = None, coverage: float = COVERAGE
) -> tuple[float, float]:
    """The interval that covers a share of the weighted outcomes, with 5% of them below it.

    Where many outcomes are equal (no spend), fewer lie below; the upper end compensates so that the
    coverage stays at 90%. The rank is that of split conformal prediction, a row more than there are,
    with the weight of a mean row (Kish's effective number).
    """
    order = np.argsort(outcome, kind="stable")
    ordered = outcome[order]
    mass = np.ones(len(outcome)) if weight is None else weight[order]
    total, row = mass.sum(), (mass**2).sum() / mass.sum()
    until = np.cumsum(mass)
    before = until - mass
    low = ordered[np.searchsorted(before, BELOW * (total - row) + EDGE * total, side="right") - 1]
    below = before[np.searchsorted(ordered, low)]
    rank = np.searchsorted(until, below + coverage * (total + row) - EDGE * total)
    return float(low), float(ordered[min(rank, len(ordered) - 1)])


def _inputs(
    features: pa.Table, columns: tuple[str, ...], multiple: Floats, level: Floats
) -> Floats:
    history = [np.nan_to_num(features[c].to_numpy().astype(np.float64), nan=-1.0) for c in columns]
    return np.column_stack([multiple, np.log(level), *history])


@dataclass(frozen=True)
class LevelIntervals:
    """Intervals of a satisfaction answer: the shortest run of levels with enough probability."""

    enough: float

    @classmethod
    def fit(cls, shares: Floats, y: Floats, weight: Floats) -> "LevelIntervals":
        """Find the probability mass at which 90% of the answers lie in their interval.

        `shares` are calibrated out-of-fold class probabilities (n, K), `y` the levels 0..K-1.
        Adaptive prediction sets (Romano, Sesia, Candès 2020) of adjacent levels.
        """
        grid = np.linspace(0.5, 0.999, 100)
        covered = [np.average(_covered(shares, y, float(g)), weights=weight) for g in grid]
        found = np.flatnonzero(np.array(covered) >= COVERAGE)
        return cls(float(grid[found[0]] if len(found) else 1.0))

    def predict(self, shares: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The lowest and the highest level of each row's interval, 0..K-1."""
        return shortest_level_run(shares, self.enough)


def _covered(shares: Floats, y: Floats, enough: float) -> NDArray[np.bool_]:
    low, high = shortest_level_run(shares, enough)
    return np.asarray((y >= low) & (y <= high))


def shortest_level_run(
    shares: Floats, enough: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last class of the shortest run with probability `enough`; ties go to the likelier."""
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
