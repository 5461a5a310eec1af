"""The ways to the leaves of a tree, and what each column on a way adds, by what a row satisfies."""

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
#: A tree of so many splits at the most is looked up as a whole, by where each split sends the row.
SMALL = 8
#: Columns on the way to a leaf whose patterns are all written down, at the most.
WIDEST = 11

Step = tuple[int, bool]


@dataclass(frozen=True)
class LeafPath:
    """The way to a leaf: of each column its steps (a split, and whether it goes left) and share.

    The share is that of the training rows at the column's splits which go the leaf's way, multiplied.
    """

    steps: dict[int, tuple[Step, ...]]
    share: dict[int, float]
    value: float = 0.0

    def answers(self) -> Floats:
        """What each column adds (patterns, columns); bit j of a pattern: column j is satisfied.

        The Shapley value of a product of terms, which is `s` (its share) for a column left out and
        0 or 1 for one let in: value * (x_j - s_j) times the integral over t in (0, 1) of the product of
        t x_i + (1 - t) s_i over the other columns. Gauss-Legendre nodes make it exact.
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
    """All patterns of so many bits (2^w, w), nodes (q, 1, 1) and weights (q,) of the integral."""
    bits = (np.arange(2**width)[:, None] >> np.arange(width)) & 1
    nodes, weights = legendre(width)
    return bits.astype(np.float64), nodes[:, None, None], weights


def paths(tree: Tree) -> Iterator[LeafPath]:
    """The way to each leaf of a tree that splits."""
    waiting: list[tuple[int, LeafPath]] = [(0, LeafPath({}, {}))]
    while waiting:
        place, so_far = waiting.pop()
        if place < 0:
            yield LeafPath(so_far.steps, so_far.share, float(tree.leaf_value[-1 - place]))
            continue
        column = int(tree.column[place])
        for child, is_left in ((int(tree.left[place]), True), (int(tree.right[place]), False)):
            rows = tree.leaf_count[-1 - child] if child < 0 else tree.split_count[child]
            part = so_far.share.get(column, 1.0) * float(rows / tree.split_count[place])
            steps = (*so_far.steps.get(column, ()), (place, is_left))
            further = LeafPath({**so_far.steps, column: steps}, {**so_far.share, column: part})
            waiting.append((child, further))


@dataclass(frozen=True)
class LookupUnit:
    """What is looked up at once: bits as steps that must all hold, columns, and answers by pattern."""

    bits: tuple[tuple[Step, ...], ...]
    columns: tuple[int, ...]
    answers: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    value: float = 0.0
    share: tuple[float, ...] = ()


def units(tree: Tree) -> Iterator[LookupUnit]:
    """A small tree as one unit, a larger one as one unit a leaf."""
    if len(tree.column) <= SMALL:
        yield _whole(tree)
        return
    for path in paths(tree):
        answers = path.answers() if len(path.share) <= WIDEST else np.zeros((0, 0))
        bits, share = tuple(path.steps.values()), tuple(path.share.values())
        yield LookupUnit(bits, tuple(path.share), answers, path.value, share)


def _whole(tree: Tree) -> LookupUnit:
    """All leaves of a tree together, for every way in which its splits may send a row."""
    splits = len(tree.column)
    goes_left = ((np.arange(2**splits)[:, None] >> np.arange(splits)) & 1).astype(bool)
    columns = tuple(dict.fromkeys(tree.column.tolist()))
    total = np.zeros((2**splits, len(columns)))
    for path in paths(tree):
        pattern = np.zeros(2**splits, np.int64)
        for j, steps in enumerate(path.steps.values()):
            holds = np.logical_and.reduce([goes_left[:, s] == side for s, side in steps])
            pattern |= holds.astype(np.int64) << j
        total[:, [columns.index(c) for c in path.share]] += path.answers()[pattern]
    return LookupUnit(
        tuple(((s, True),) for s in range(splits)), columns, total, 0.0, (0.0,) * len(columns)
    )


def layout(trees: Sequence[Tree]) -> TreeLayout:
    """The trees for the compiled pass."""
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
        first_answer=_starts(unit.answers.size for unit in found),
        answer=_joined([unit.answers.T.ravel() for unit in found], np.float64),
        value=np.array([unit.value for unit in found], np.float64),
        share=np.array([s for unit in found for s in unit.share], np.float64),
    )


def _members(tree: Tree, place: int) -> NDArray[np.bool_]:
    """Which codes go left at a split by categories; nothing at one by numbers."""
    codes = tree.codes.get(place)
    if codes is None or not len(codes):
        return np.zeros(0, bool)
    return np.isin(np.arange(int(codes.max()) + 1), codes)


def _starts(lengths: Any) -> NDArray[np.int64]:
    return np.array([0, *accumulate(lengths)], np.int64)


def _joined(parts: Sequence[NDArray[Any]], kind: Any) -> NDArray[Any]:
    return np.concatenate(parts).astype(kind) if parts else np.zeros(0, kind)
