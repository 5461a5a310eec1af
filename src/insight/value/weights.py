"""Weights of dimensions: validation, comparison of several sets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pandas as pd

from features.errors import ConfigRefused

#: Tolerance of the sum of weights around 1, for three of 0.33.
ROUNDING = 0.011


@dataclass(frozen=True)
class DimensionWeights:
    """Shares of the dimensions, which sum to 1, by one method; `interval` if the method has one."""

    method: str
    share: dict[str, float]
    interval: dict[str, tuple[float, float]] = field(default_factory=dict)
    made_from: str = ""


def normalise_weights(share: Mapping[str, float], key: str = "weights") -> DimensionWeights:
    """Normalise given weights to sum to exactly 1.

    Raises ConfigRefused for none, negative ones, and sums further than 0.011 from 1, with the normalised
    values as a suggestion.
    """
    total = sum(share.values())
    for name, value in share.items():
        if not 0 <= value < np.inf:
            raise ConfigRefused(f"{key}: {name} is {value:g}; a weight is a share from 0 to 1")
    if not share:
        raise ConfigRefused(f"{key}: there is no weight; give one at least")
    if abs(total - 1) > ROUNDING:
        meant = ", ".join(f"{n} = {v / total:.3f}" for n, v in share.items()) if total else ""
        remedy = f"; if the proportions are meant: {meant}" if meant else ""
        raise ConfigRefused(f"{key} sum to {total:.4g}; they should sum to 1{remedy}")
    return DimensionWeights("given", {name: value / total for name, value in share.items()})


def weighted_mean(table: pd.DataFrame, weights: DimensionWeights) -> pd.Series:
    """Return the weighted mean of a table's columns."""
    return pd.Series(
        table[list(weights.share)].to_numpy(float) @ np.array(list(weights.share.values())),
        index=table.index,
    )


def tabulate_weights(sets: Sequence[DimensionWeights]) -> pd.DataFrame:
    """Tabulate sets of weights: a row per dimension, a column per method, and `spread`, their range.

    Raises ConfigRefused if they weigh different dimensions.
    """
    names = list(sets[0].share)
    for other in sets[1:]:
        if set(other.share) != set(names):
            different = ", ".join(sorted(set(other.share) ^ set(names)))
            raise ConfigRefused(
                f"weights by {sets[0].method} and by {other.method} differ in {different}; they should "
                "weigh the same dimensions"
            )
    table = pd.DataFrame({s.method: pd.Series(s.share) for s in sets}).loc[names]
    return table.assign(spread=table.max(axis=1) - table.min(axis=1)).rename_axis("dimension")


def compare_weights(
    sets: Sequence[DimensionWeights], table: pd.DataFrame, top: float = 0.2
) -> pd.DataFrame:
    """Compare the scores under every two sets of weights, one row per pair.

    `weight_moved` is the share of weight that differs, `rank_correlation` that of the customers' scores
    (Spearman), `top_changed` the share of the best `top` that the other set replaces. Customers with a
    missing dimension are left out; `customers` is the number compared.
    """
    tabulate_weights(sets)
    complete = table[list(sets[0].share)].dropna()
    rows = []
    for first, second in combinations(sets, 2):
        one, other = weighted_mean(complete, first), weighted_mean(complete, second)
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
