"""Exact TreeSHAP values of many rows at once, in double precision."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.learners.lightgbm import Estimator
from models.learners.lightgbm_text import Forest

if TYPE_CHECKING:
    from models.explain.treeshap.shapley_values import TreeLayout

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _ClassTrees:
    """The compiled layout of the trees of one class, and their average over the training rows."""

    trees: "TreeLayout"
    average: float


def bulk_contributions(estimator: Estimator, matrix: Floats) -> Floats:
    """Contributions of each column to the raw score of each class, and the average: (n, classes, k+1).

    `matrix` holds the encoded rows. Equal to `Estimator.contributions`, but many times as fast.
    """
    classes = _compiled_trees(estimator.to_text())
    columns = np.ascontiguousarray(matrix.T)
    found = np.zeros((len(classes), len(columns) + 1, len(matrix)))
    for one, out in zip(classes, found, strict=True):
        one.trees.add(columns, out)
        out[-1] = one.average
    return np.ascontiguousarray(found.transpose(2, 0, 1))


@lru_cache(maxsize=8)
def _compiled_trees(text: str) -> tuple[_ClassTrees, ...]:
    """The layouts of a model's trees; cached, because they take about a second."""
    # numba is slow to import, so it is loaded on first use.
    from models.explain.treeshap.paths import layout

    return tuple(
        _ClassTrees(layout(trees), sum(tree.average for tree in trees))
        for trees in Forest.from_text(text).classes
    )
