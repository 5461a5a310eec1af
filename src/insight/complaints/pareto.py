"""Pareto table: the few categories that most complaints are about."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

#: Share of all complaints that the vital few together reach.
VITAL_SHARE = 0.8


@dataclass(frozen=True)
class ParetoRow:
    """A category of complaints: count, share with 95% interval (Wilson), cumulative share.

    `vital` marks the largest categories that together reach four fifths. `severity` is the mean, NaN if
    unknown.
    """

    category: str
    count: float
    share: float
    low: float
    high: float
    cumulative: float
    vital: bool
    severity: float


def compute_pareto(complaints: pd.DataFrame, by: str = "category") -> list[ParetoRow]:
    """Compute the table of a column of the complaints, largest first; weighted.

    Rows without a value count as `unknown`.
    """
    from statsmodels.stats.proportion import proportion_confint

    names = complaints[by].fillna("unknown").astype(str)
    sums = complaints["weight"].groupby(names).sum().sort_index()
    sums = sums.sort_values(ascending=False, kind="stable")
    severity = complaints["severity"].astype(float).groupby(names).mean()
    total, n = float(sums.sum()), _effective_sample_size(complaints["weight"].to_numpy(float))
    rows, before = [], 0.0
    for name, count in zip(sums.index.astype(str), sums, strict=True):
        share = float(count) / total
        low, high = proportion_confint(share * n, n, method="wilson")
        rows.append(
            ParetoRow(
                name, float(count), share, float(low), float(high), before + share,
                before < VITAL_SHARE - 1e-12, float(severity[name]),
            )
        )  # fmt: skip
        before += share
    return rows


def select_vital_few(rows: Iterable[ParetoRow]) -> list[str]:
    """Return the categories to work on first."""
    return [row.category for row in rows if row.vital]


def _effective_sample_size(weight: np.ndarray) -> float:
    """Return the number of equally weighted rows with the same variance (Kish 1965)."""
    total = float(np.sum(weight))
    return total**2 / float(np.sum(np.square(weight))) if total else 0.0
