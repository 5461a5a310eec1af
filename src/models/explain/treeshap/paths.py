"""Paths to the leaves of a tree, with the Shapley values of their columns by satisfied splits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.explain.treeshap.shapley_values import TreeLayout, legendre
from models.learners.lightgbm_text import Tree

Floats = NDArray[np.float64]
#: Trees with at most this many splits are looked up as a whole, by the direction of each split.
MAX_LOOKUP_SPLITS = 8
#: Paths with at most this many columns have a table of all patterns.
MAX_TABLE_COLUMNS = 11

Step = tuple[int, bool]


@dataclass(frozen=True)
class LeafPath:
    """The path to a leaf: for each column its steps (a split, and whether it goes left) and its share.

    The share is the product, over the column's splits, of the share of training rows that follow the
    path.
    """

    steps: dict[int, tuple[Step, ...]]
    share: dict[int, float]
    value: float = 0.0

    def shapley_table(self) -> Floats:
        """The contribution of each column (patterns, columns); bit j of a pattern is column j.

        Shapley values of a product with the term `s` (the share) for an absent column and x = 0 or 1
        for a present one: value * (x_j - s_j) times the integral over t in (0, 1) of the product of
        t x_i + (1 - t) s_i over the other columns. Gauss-Legendre quadrature is exact here.
        """
        satisfied, nodes, weights = _patterns(len(self.share))
        share = np.array([*self.share.values()])
        terms = nodes * satisfied + (1 - nodes) * share
        found = np.empty(satisfied.shape)
        for j in range(len(share)):
            others = np.delete(terms, j, axis=2).prod(axis=2)
            found[:, j] = (satisfied[:, j] - share[j]) * (weights @ others)
        return found * self.value


@lru_cache
def _patterns(width: int) -> tuple[Floats, Floats, Floats]:
    """All patterns of `width` bits (2^w, w), nodes (q, 1, 1) and weights (q,) of the quadrature."""
    bits = (np.arange(2**width)[:, None] >> np.arange(width)) & 1
    nodes, weights = legendre(width)
    return bits.astype(np.float64), nodes[:, None, None], weights


def paths(tree: Tree) -> Iterator[LeafPath]:
    """The path to each leaf of a tree with splits."""
    pending: list[tuple[int, LeafPath]] = [(0, LeafPath({}, {}))]
    while pending:
        place, so_far = pending.pop()
        if place < 0:
            yield LeafPath(so_far.steps, so_far.share, float(tree.leaf_value[-1 - place]))
            continue
        column = int(tree.column[place])
        for child, is_left in ((int(tree.left[place]), True), (int(tree.right[place]), False)):
            rows = tree.leaf_count[-1 - child] if child < 0 else tree.split_count[child]
            part = so_far.share.get(column, 1.0) * float(rows / tree.split_count[place])
            steps = (*so_far.steps.get(column, ()), (place, is_left))
            further = LeafPath({**so_far.steps, column: steps}, {**so_far.share, column: part})
            pending.append((child, further))


@dataclass(frozen=True)
class LookupUnit:
    """One table lookup: bits (steps that must all hold), columns, and contributions by pattern."""

    bits: tuple[tuple[Step, ...], ...]
    columns: tuple[int, ...]
    table: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    value: float = 0.0
    share: tuple[float, ...] = ()


def units(tree: Tree) -> Iterator[LookupUnit]:
    """A small tree is one unit; a larger one has one unit per leaf."""
    if len(tree.column) <= MAX_LOOKUP_SPLITS:
        yield _tree_unit(tree)
        return
    for path in paths(tree):
        table = path.shapley_table() if len(path.share) <= MAX_TABLE_COLUMNS else np.zeros((0, 0))
        bits, share = tuple(path.steps.values()), tuple(path.share.values())
        yield LookupUnit(bits, tuple(path.share), table, path.value, share)


def _tree_unit(tree: Tree) -> LookupUnit:
    """All leaves of a tree in one table, for every combination of split directions."""
    splits = len(tree.column)
    goes_left = ((np.arange(2**splits)[:, None] >> np.arange(splits)) & 1).astype(bool)
    columns = tuple(dict.fromkeys(tree.column.tolist()))
    total = np.zeros((2**splits, len(columns)))
    for path in paths(tree):
        pattern = np.zeros(2**splits, np.int64)
        for j, steps in enumerate(path.steps.values()):
            holds = np.logical_and.reduce([goes_left[:, s] == side for s, side in steps])
            pattern |= holds.astype(np.int64) << j
        total[:, [columns.index(c) for c in path.share]] += path.shapley_table()[pattern]
    return LookupUnit(
        tuple(((s, True),) for s in range(splits)), columns, total, 0.0, (0.0,) * len(columns)
    )


def layout(trees: Sequence[Tree]) -> TreeLayout:
    """Arrange trees as arrays for the compiled code."""
    trees = [tree for tree in trees if len(tree.column)]
    by_tree = [[*units(tree)] for tree in trees]
    members = [_members(tree, place) for tree in trees for place in range(len(tree.column))]
    found = [unit for each in by_tree for unit in each]
    bits = [bit for unit in found for bit in unit.bits]
    steps = [step for bit in bits for step in bit]
    return TreeLayout(
        first_split=_starts(len(tree.column) for tree in trees),
        column=_joined([tree.column for tree in trees], np.int64),
        threshold=_joined([tree.threshold for tree in trees], np.float64),
        kind=_joined([tree.kind for tree in trees], np.int64),
        first_member=_starts(map(len, members)),
        member=_joined(members, np.bool_),
        first_unit=_starts(map(len, by_tree)),
        first_bit=_starts(len(unit.bits) for unit in found),
        first_step=_starts(map(len, bits)),
        step_split=np.array([split for split, _ in steps], np.int64),
        step_left=np.array([side for _, side in steps], np.bool_),
        first_column=_starts(len(unit.columns) for unit in found),
        unit_column=np.array([c for unit in found for c in unit.columns], np.int64),
        first_entry=_starts(unit.table.size for unit in found),
        entry=_joined([unit.table.T.ravel() for unit in found], np.float64),
        value=np.array([unit.value for unit in found], np.float64),
        share=np.array([s for unit in found for s in unit.share], np.float64),
    )


def _members(tree: Tree, place: int) -> NDArray[np.bool_]:
    """Which codes go left at a categorical split; empty for a numeric one."""
    codes = tree.codes.get(place)
    if codes is None or not len(codes):
        return np.zeros(0, bool)
    return np.isin(np.arange(int(codes.max()) + 1), codes)


def _starts(lengths: Any) -> NDArray[np.int64]:
    return np.array([0, *accumulate(lengths)], np.int64)


def _joined(parts: Sequence[NDArray[Any]], kind: Any) -> NDArray[Any]:
    return np.concatenate(parts).astype(kind) if parts else np.zeros(0, kind)
