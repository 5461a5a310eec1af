"""Each segment said in one rule, read off a shallow tree that tells it from all others."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.errors import DataRefused

DEPTH = 3


@dataclass(frozen=True)
class ClusterRule:
    """The conditions under which a customer is most likely of a segment.

    `share` of those it is true of are of the segment (precision), `reach` is the share of the segment
    it is true of. `bounds` holds for each column the open lower and closed upper end.
    """

    segment: str
    bounds: dict[str, tuple[float, float]]
    share: float
    reach: float

    @property
    def text(self) -> str:
        """`price ≤ 62.5 and service > 70`; of all customers if there is no condition."""
        return " and ".join(_said(name, *ends) for name, ends in self.bounds.items()) or "everybody"

    def holds(self, customers: pd.DataFrame) -> "pd.Series[bool]":
        """The customers a rule is true of."""
        true = pd.Series(True, customers.index)
        for name, (low, high) in self.bounds.items():
            true &= (customers[name] > low) & (customers[name] <= high)
        return true


def fit_cluster_rules(customers: pd.DataFrame, of: "pd.Series[str]") -> dict[str, ClusterRule]:
    """One rule a segment: the place in a tree of depth 3 that fits it best, borders rounded.

    Best is the highest harmonic mean of `share` and `reach` (F1). `customers` may have other columns
    than the segments were made of, such as attributes as numbers.
    Raises DataRefused where no customer has both a segment and all columns.
    """
    complete = customers[of.notna()].dropna()
    if complete.empty:
        raise DataRefused("no customer has a segment and all columns; there is nothing to say")
    of = of.loc[complete.index]
    return {name: _best(complete, of == name, name) for name in sorted(of.unique())}


def _best(customers: pd.DataFrame, inside: "pd.Series[bool]", segment: str) -> ClusterRule:
    """The best rule of a tree that tells a segment from all others; `everybody` is one, too."""
    from sklearn.tree import DecisionTreeClassifier

    least = max(1, len(customers) // 50)
    grown = DecisionTreeClassifier(
        max_depth=DEPTH, min_samples_leaf=least, class_weight="balanced", random_state=0
    ).fit(customers.to_numpy(np.float32), inside)
    rules = []
    for node in range(grown.tree_.node_count):
        bounds = _bounds(grown.tree_, node, customers)
        true = ClusterRule(segment, bounds, 0.0, 0.0).holds(customers)
        hits = float((inside & true).sum())
        if hits:
            rules.append(ClusterRule(segment, bounds, hits / true.sum(), hits / inside.sum()))
    return max(rules, key=lambda rule: 2 / (1 / rule.share + 1 / rule.reach))


def _bounds(tree: object, node: int, customers: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """The ends of each column on the way to a node, rounded to a hundredth of its spread."""
    left, right, feature, threshold = (
        np.asarray(getattr(tree, name))
        for name in ("children_left", "children_right", "feature", "threshold")
    )
    bounds: dict[str, tuple[float, float]] = {}
    while node:
        parent = int(np.flatnonzero((left == node) | (right == node))[0])
        name = str(customers.columns[feature[parent]])
        low, high = bounds.get(name, (-np.inf, np.inf))
        border = _round(float(threshold[parent]), float(customers[name].std()))
        bounds[name] = (
            (low, min(high, border)) if left[parent] == node else (max(low, border), high)
        )
        node = parent
    return bounds


def _round(value: float, spread: float) -> float:
    digits = 2 - int(np.floor(np.log10(spread))) if spread > 0 else 2
    return round(value, max(0, digits))


def _said(name: str, low: float, high: float) -> str:
    if np.isinf(low):
        return f"{name} ≤ {high:g}"
    return f"{name} > {low:g}" if np.isinf(high) else f"{low:g} < {name} ≤ {high:g}"
