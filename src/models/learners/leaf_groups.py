"""Groups of customers alike in how far a prediction can be trusted, as plain numbers.

The groups are the leaves of a small regression tree on a few columns. Whatever is then measured
within a group (a range that holds nine of ten outcomes) holds for customers like these, and not only
on average over everybody: Mondrian conformal prediction (Vovk et al. 2005, section 4.5).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MOST_CELLS = 24
#: Rows of a group at the least: its outermost twentieths then hold 20 rows each.
FEWEST_ROWS = 400


@dataclass(frozen=True)
class LeafGroups:
    """A tree by its nodes: where `feature` is negative, the node is a leaf, else left if `<=`."""

    feature: list[int]
    threshold: list[float]
    left: list[int]
    right: list[int]

    @classmethod
    def fit(cls, inputs: Floats, outcome: Floats) -> "LeafGroups":
        """Groups of at least 400 rows (a quarter of fewer rows) that differ most in the outcome.

        `inputs` has shape (rows, columns), without missing values.
        """
        from sklearn.tree import DecisionTreeRegressor  # training only: a service reads numbers

        least = min(FEWEST_ROWS, max(1, len(outcome) // 4))
        grown = DecisionTreeRegressor(
            max_leaf_nodes=MOST_CELLS, min_samples_leaf=least, random_state=0
        ).fit(inputs, outcome)
        tree = grown.tree_
        inner = tree.children_left >= 0
        return cls(
            np.where(inner, tree.feature, -1).tolist(),
            np.where(inner, tree.threshold, 0.0).tolist(),
            tree.children_left.tolist(),
            tree.children_right.tolist(),
        )

    def of(self, inputs: Floats) -> NDArray[np.int64]:
        """The leaf of each row, as the number of its node."""
        feature, threshold = np.array(self.feature), np.array(self.threshold)
        left, right = np.array(self.left), np.array(self.right)
        node = np.zeros(len(inputs), np.int64)
        rows = np.arange(len(inputs))
        # scikit-learn's trees compare in single precision: a value on an edge would else change sides
        values = inputs.astype(np.float32)
        while (inner := feature[node] >= 0).any():
            at = node[inner]
            goes_left = values[rows[inner], feature[at]] <= threshold[at]
            node[inner] = np.where(goes_left, left[at], right[at])
        return node

    @property
    def leaves(self) -> list[int]:
        """The numbers of the nodes that are leaves."""
        return [i for i, feature in enumerate(self.feature) if feature < 0]
