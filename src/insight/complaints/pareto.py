"""The Pareto table: the few categories that most complaints are about."""

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from insight.complaints.intake import effective_sample_size

#: The vital few: the largest categories that together hold this share.
VITAL_SHARE = 0.8


@dataclass(frozen=True)
class ParetoRow:
    """A category of complaints: how many, their share with 95 % interval (Wilson), summed up.

    `vital` marks the few categories that hold four fifths. `severity` is the mean, NaN if unknown.
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
    """The table of a column of the complaints, largest first; weighted where rows have weights.

    Rows without a value count as `unknown`.
    """
    from statsmodels.stats.proportion import proportion_confint

    names = complaints[by].fillna("unknown").astype(str)
    sums = complaints["weight"].groupby(names).sum().sort_index()
    sums = sums.sort_values(ascending=False, kind="stable")
    severity = complaints["severity"].astype(float).groupby(names).mean()
    total, n = float(sums.sum()), effective_sample_size(complaints["weight"].to_numpy(float))
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
    """The categories to work on first."""
    return [row.category for row in rows if row.vital]
