"""Group customers with similar prediction errors by the leaves of a small regression tree.

An interval calibrated within such a group has its coverage for customers like these, not only on
average: Mondrian conformal prediction (Vovk et al. 2005, section 4.5).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MAX_GROUPS = 24
#: Minimum rows of a group: its outer 5% tails then hold 20 rows each.
MIN_GROUP_ROWS = 400


@dataclass(frozen=True)
class LeafGroups:
    """A tree by its nodes; a node with a negative `feature` is a leaf, others send `<=` to the left."""

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
