"""The trees of a model as arrays, read from their text: splits, categories, leaves, counts."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.learners.lightgbm import Estimator

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Bits of LightGBM's decision_type: a split by categories; missing goes left; NaN is missing.
CATEGORICAL, DEFAULT_LEFT, NAN_IS_MISSING = 1, 2, 8


@dataclass(frozen=True)
class Tree:
    """One tree: arrays over its splits, and over its leaves.

    `left` and `right` name a split, or the leaf `-1 - child`. `kind` is LightGBM's decision_type;
    `codes` holds, by the place of a split, the categories that go left. Counts are the training
    rows that came by. A tree of one leaf has no splits.
    """

    column: Ints
    threshold: Floats
    kind: Ints
    left: Ints
    right: Ints
    split_count: Floats
    leaf_value: Floats
    leaf_count: Floats
    codes: dict[int, Ints]

    @property
    def average(self) -> float:
        """The mean of its leaves over the training rows."""
        if not len(self.column):
            return float(self.leaf_value[0])
        return float(self.leaf_value @ self.leaf_count / self.split_count[0])


@dataclass(frozen=True)
class Forest:
    """The trees of each class; one class for a binary model or a regression.

    `averaged` tells a forest whose score is the mean of its trees, not their sum.
    """

    classes: tuple[tuple[Tree, ...], ...]
    averaged: bool

    @classmethod
    def of(cls, estimator: Estimator) -> "Forest":
        """Read the trees of an estimator, whose text was checked when it was loaded."""
        return cls.of_text(estimator.to_text())

    @classmethod
    def of_text(cls, text: str) -> "Forest":
        """Read the trees of a model's text."""
        head, *blocks = text.partition("\nend of trees")[0].split("\nTree=")
        width = int(_fields(head)["num_tree_per_iteration"])
        trees = [_tree(_fields(block)) for block in blocks]
        classes = tuple(tuple(trees[k::width]) for k in range(width))
        return cls(classes, "average_output" in head.split("\n"))

    def thresholds(self, column: int) -> Floats:
        """The numbers at which any tree splits a numeric column, ascending."""
        return np.unique(np.concatenate([t.threshold[t.column == column] for t in self]))

    def __iter__(self) -> Iterator[Tree]:
        return (tree for trees in self.classes for tree in trees)


def objective(estimator: Estimator) -> str:
    """The objective a model was trained for, with its settings ("binary sigmoid:1")."""
    return estimator.to_text().partition("\nobjective=")[2].partition("\n")[0]


def _fields(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.split("\n")[1:] if "=" in line)


def _tree(fields: dict[str, str]) -> Tree:
    kind, threshold = _whole(fields, "decision_type"), _numbers(fields, "threshold")
    bounds, words = _whole(fields, "cat_boundaries"), _whole(fields, "cat_threshold")
    codes = {
        int(place): _members(words[bounds[number] : bounds[number + 1]])
        for place in np.flatnonzero(kind & CATEGORICAL)
        for number in [int(threshold[place])]
    }
    return Tree(
        _whole(fields, "split_feature"),
        threshold,
        kind,
        _whole(fields, "left_child"),
        _whole(fields, "right_child"),
        _numbers(fields, "internal_count"),
        _numbers(fields, "leaf_value"),
        _numbers(fields, "leaf_count"),
        codes,
    )


def _members(words: Ints) -> Ints:
    """The members of a set that is written as 32 bits a word."""
    return np.flatnonzero(((words[:, None] >> np.arange(32)) & 1).ravel())


def _whole(fields: dict[str, str], name: str) -> Ints:
    return np.array(fields.get(name, "").split(), dtype=np.int64)


def _numbers(fields: dict[str, str], name: str) -> Floats:
    return np.array(fields.get(name, "").split(), dtype=np.float64)
