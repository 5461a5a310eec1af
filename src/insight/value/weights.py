"""Weights of dimensions: what they must satisfy, and how far several sets of them disagree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pandas as pd

from features.errors import ConfigRefused

#: How far weights may be from summing to 1: three of 0.33.
ROUNDING = 0.011


@dataclass(frozen=True)
class Weights:
    """Shares of the dimensions, which sum to 1, by one method; `interval` where the method has one."""

    method: str
    share: dict[str, float]
    interval: dict[str, tuple[float, float]] = field(default_factory=dict)
    made_from: str = ""


def given(share: Mapping[str, float], place: str = "weights") -> Weights:
    """Weights as somebody states them, made to sum to exactly 1.

    Raises ConfigRefused for none, negative ones, and sums further than 0.011 from 1, with what each
    would be if the proportions were meant.
    """
    total = sum(share.values())
    for name, value in share.items():
        if not 0 <= value < np.inf:
            raise ConfigRefused(f"{place}: {name} is {value:g}; a weight is a share from 0 to 1")
    if not share:
        raise ConfigRefused(f"{place}: there is no weight; give one at least")
    if abs(total - 1) > ROUNDING:
        meant = ", ".join(f"{n} = {v / total:.3f}" for n, v in share.items()) if total else ""
        remedy = f"; if the proportions are meant: {meant}" if meant else ""
        raise ConfigRefused(f"{place} sum to {total:.4g}; they should sum to 1{remedy}")
    return Weights("given", {name: value / total for name, value in share.items()})


def weighted(table: pd.DataFrame, weights: Weights) -> pd.Series:
    """The mean of a table's columns under the weights."""
    return pd.Series(
        table[list(weights.share)].to_numpy(float) @ np.array(list(weights.share.values())),
        index=table.index,
    )


def beside(sets: Sequence[Weights]) -> pd.DataFrame:
    """Sets of weights side by side: a row a dimension, a column a method, and how far apart they are.

    Raises ConfigRefused when they weigh different dimensions.
    """
    names = list(sets[0].share)
    for other in sets[1:]:
        if set(other.share) != set(names):
            odd = ", ".join(sorted(set(other.share) ^ set(names)))
            raise ConfigRefused(
                f"weights by {sets[0].method} and by {other.method} differ in {odd}; they should weigh "
                "the same dimensions"
            )
    table = pd.DataFrame({s.method: pd.Series(s.share) for s in sets}).loc[names]
    return table.assign(spread=table.max(axis=1) - table.min(axis=1)).rename_axis("dimension")


def disagreement(sets: Sequence[Weights], table: pd.DataFrame, top: float = 0.2) -> pd.DataFrame:
    """What it matters which set is used, a row for every two sets.

    `weight_moved` is the share of weight that lies elsewhere, `rank_correlation` that of the
    customers' scores (Spearman), `top_changed` the share of the best `top` who would not be among
    them. Customers with a missing dimension are left out; `customers` says how many counted.
    """
    beside(sets)
    complete = table[list(sets[0].share)].dropna()
    rows = []
    for first, second in combinations(sets, 2):
        one, other = weighted(complete, first), weighted(complete, second)
        moved = sum(abs(first.share[n] - second.share[n]) for n in first.share) / 2
        count = max(1, round(top * len(complete)))
        best = set(one.nlargest(count).index) - set(other.nlargest(count).index)
        rows.append(
            {
                "between": f"{first.method} and {second.method}",
                "weight_moved": moved,
                "rank_correlation": float(one.rank().corr(other.rank())),
                "top_changed": len(best) / count,
                "customers": len(complete),
            }
        )
    return pd.DataFrame(rows)
