"""Describe each cluster by one rule, read from a shallow decision tree (cluster against the rest)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.errors import DataRefused

DEPTH = 3


@dataclass(frozen=True)
class ClusterRule:
    """The conditions under which a customer most likely belongs to a cluster.

    `precision` is the share of the customers the rule holds for who are in the cluster, `recall` the
    share of the cluster it holds for. `bounds` gives each column's open lower and closed upper end.
    """

    segment: str
    bounds: dict[str, tuple[float, float]]
    precision: float
    recall: float

    @property
    def text(self) -> str:
        """Return the rule as text: `price ≤ 62.5 and service > 70`; `everybody` without conditions."""
        return (
            " and ".join(_condition(name, *ends) for name, ends in self.bounds.items())
            or "everybody"
        )

    def holds(self, customers: pd.DataFrame) -> "pd.Series[bool]":
        """Return for each customer whether the rule holds."""
        holds = pd.Series(True, customers.index)
        for name, (low, high) in self.bounds.items():
            holds &= (customers[name] > low) & (customers[name] <= high)
        return holds


def fit_cluster_rules(customers: pd.DataFrame, labels: "pd.Series[str]") -> dict[str, ClusterRule]:
    """Fit one rule per cluster: the node of a depth-3 tree with the highest F1 of precision and recall.

    `labels` is the cluster of each customer. Bounds are rounded. `customers` may have other columns than
    those the clusters were fitted on. Raises DataRefused if no customer has both a cluster and all
    columns.
    """
    complete = customers[labels.notna()].dropna()
    if complete.empty:
        raise DataRefused("no customer has a segment and all columns; there is nothing to say")
    labels = labels.loc[complete.index]
    return {name: _best_rule(complete, labels == name, name) for name in sorted(labels.unique())}


def _best_rule(customers: pd.DataFrame, inside: "pd.Series[bool]", segment: str) -> ClusterRule:
    """Return the best rule of a tree that separates a cluster from the rest, or `everybody`."""
    from sklearn.tree import DecisionTreeClassifier

    min_leaf = max(1, len(customers) // 50)
    fitted = DecisionTreeClassifier(
        max_depth=DEPTH, min_samples_leaf=min_leaf, class_weight="balanced", random_state=0
    ).fit(customers.to_numpy(np.float32), inside)
    rules = []
    for node in range(fitted.tree_.node_count):
        bounds = _bounds(fitted.tree_, node, customers)
        holds = ClusterRule(segment, bounds, 0.0, 0.0).holds(customers)
        hits = float((inside & holds).sum())
        if hits:
            rules.append(ClusterRule(segment, bounds, hits / holds.sum(), hits / inside.sum()))
    return max(rules, key=lambda rule: 2 / (1 / rule.precision + 1 / rule.recall))


def _bounds(tree: object, node: int, customers: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Return each column's bounds on the path to a node, rounded to 1% of its standard deviation."""
    left, right, feature, threshold = (
        np.asarray(getattr(tree, name))
        for name in ("children_left", "children_right", "feature", "threshold")
    )
    bounds: dict[str, tuple[float, float]] = {}
    while node:
        parent = int(np.flatnonzero((left == node) | (right == node))[0])
        name = str(customers.columns[feature[parent]])
        low, high = bounds.get(name, (-np.inf, np.inf))
        cut = _round(float(threshold[parent]), float(customers[name].std()))
        bounds[name] = (low, min(high, cut)) if left[parent] == node else (max(low, cut), high)
        node = parent
    return bounds


def _round(value: float, spread: float) -> float:
    digits = 2 - int(np.floor(np.log10(spread))) if spread > 0 else 2
    return round(value, max(0, digits))


def _condition(name: str, low: float, high: float) -> str:
    if np.isinf(low):
        return f"{name} ≤ {high:g}"
    return f"{name} > {low:g}" if np.isinf(high) else f"{low:g} < {name} ≤ {high:g}"
