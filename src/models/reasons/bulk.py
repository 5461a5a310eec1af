"""Exact TreeSHAP of many customers at once; the only file that knows woodelf.

Woodelf splits by numbers only. Our nodes decide as LightGBM does, so that categories and missing
values go where LightGBM sends them. Woodelf adds up in single precision: a part may differ from
LightGBM's own by some 1e-7 of the raw score.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.estimator import Estimator
from models.reasons.trees import DEFAULT_LEFT, NAN_IS_MISSING, Forest, Tree

Floats = NDArray[np.float64]


def bulk_contributions(estimator: Estimator, matrix: Floats) -> Floats:
    """What each column adds to the raw score of each class, and the average: (n, classes, k + 1).

    `matrix` is what the encoder makes of the rows. The numbers are those of
    `Estimator.contributions`, several times as fast from some hundreds of rows on.
    """
    from woodelf.core.cube_metric import ShapleyValues
    from woodelf.core.trees.decision_trees_ensemble import DecisionTreesEnsemble
    from woodelf.woodelf_sparse import hybrid_woodelf

    forest = Forest.of(estimator)
    rows = _Rows(np.asfortranarray(matrix))
    found = np.zeros((len(matrix), len(forest.classes), matrix.shape[1] + 1))
    for k, trees in enumerate(forest.classes):
        share = 1.0 / len(trees) if forest.averaged else 1.0
        found[:, k, -1] = share * sum(tree.average for tree in trees)
        split = [_root(tree) for tree in trees if len(tree.column)]
        if split:
            ensemble = DecisionTreesEnsemble(split)
            values = hybrid_woodelf(
                ensemble, rows, None, ShapleyValues(), model_was_loaded=True, verbose=False
            )
            for column, parts in values.items():
                found[:, k, column] = share * parts
    return found


class _Flags(np.ndarray):
    """Booleans as woodelf asks for them: it expects what pandas returns."""

    def to_numpy(self) -> NDArray[np.bool_]:
        return self.view(np.ndarray)


@dataclass(frozen=True)
class _Rows:
    """The rows woodelf explains, a column by its place."""

    matrix: Floats

    @property
    def columns(self) -> range:
        return range(self.matrix.shape[1])

    @property
    def index(self) -> range:
        return range(len(self.matrix))

    def __len__(self) -> int:
        return len(self.matrix)

    def __getitem__(self, column: int) -> Floats:
        return self.matrix[:, column]


def _root(tree: Tree) -> Any:
    """A tree as woodelf's linked nodes."""
    from woodelf.core.trees.decision_trees_ensemble import DecisionTreeNode

    class Node(DecisionTreeNode):  # type: ignore[misc]
        """A leaf, or a split that decides as LightGBM does."""

        def shall_go_left(self, row: _Rows, GPU: bool = False) -> _Flags:
            return _goes_left(tree, self.index, row[self.feature_name]).view(_Flags)

    def node(place: int) -> Any:
        if place < 0:
            leaf = -1 - place
            number = len(tree.column) + leaf
            return Node(None, tree.leaf_value[leaf], None, None, index=number,
                        cover=tree.leaf_count[leaf])  # fmt: skip
        left, right = node(int(tree.left[place])), node(int(tree.right[place]))
        made = Node(int(tree.column[place]), tree.threshold[place], right, left, index=place,
                    cover=tree.split_count[place])  # fmt: skip
        left.parent = right.parent = made
        return made

    root = node(0)
    root.depth = root.get_depth()
    return root


def _goes_left(tree: Tree, place: int, numbers: Floats) -> NDArray[np.bool_]:
    if place in tree.codes:
        return np.isin(numbers, tree.codes[place])
    kind, threshold = tree.kind[place], tree.threshold[place]
    if not kind & NAN_IS_MISSING:  # the column was never missing in training
        numbers = np.nan_to_num(numbers, nan=0.0)
    if kind & DEFAULT_LEFT:
        return np.asarray(~(numbers > threshold))
    return np.asarray(numbers <= threshold)
