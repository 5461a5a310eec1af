"""Fuzzy comprehensive evaluation: a customer belongs to several grades at once, each to a degree."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from features.config.table_mapping import Strict
from features.errors import ConfigRefused
from insight.value.weights import Weights


class Grades(Strict):
    """`[insight.value.grades]`: grades, and the points of 0-100 at which one belongs wholly to each.

    Between two peaks membership passes linearly from one grade to the next, so that a customer's
    memberships sum to 1. `unclear_below` is the lead the best grade must have over the next.
    """

    names: list[str] = Field(
        default_factory=lambda: ["poor", "fair", "medium", "good", "excellent"]
    )
    peaks: list[float] = Field(default_factory=lambda: [10.0, 30.0, 50.0, 70.0, 90.0])
    unclear_below: float = Field(default=0.1, ge=0, le=1)

    @model_validator(mode="after")
    def _rise(self) -> "Grades":
        if len(self.names) != len(self.peaks) or len(self.names) < 2:
            raise ValueError(
                f"{len(self.names)} names and {len(self.peaks)} peaks; give a peak for each of 2 or more"
            )
        if any(a >= b for a, b in pairwise(self.peaks)):
            raise ValueError(f"peaks {self.peaks} should rise from the worst grade to the best")
        return self


@dataclass(frozen=True)
class Evaluation:
    """Memberships a customer and grade (rows sum to 1), the grade, its lead, and points of 0-100."""

    membership: pd.DataFrame
    grade: pd.Series
    unclear: pd.Series
    points: pd.Series


def memberships(points: pd.Series, grades: Grades) -> pd.DataFrame:
    """How far each value belongs to each grade; NaN for no value."""
    peaks, x = np.array(grades.peaks), points.to_numpy(float)
    return pd.DataFrame(
        {
            name: np.interp(x, peaks, np.eye(len(peaks))[i], left=float(i == 0))
            for i, name in enumerate(grades.names)
        },
        index=points.index,
    ).where(points.notna(), np.nan)


def evaluate(
    table: pd.DataFrame,
    weights: Weights,
    grades: Grades,
    operator: Literal["mean", "max-min"] = "mean",
) -> Evaluation:
    """Dimensions of 0-100 as grades, put together under the weights.

    `mean` adds up weight times membership; `max-min` takes the largest of the lesser of the two, so that
    one decisive dimension settles the grade (made to sum to 1). A missing dimension leaves the others
    with more weight. Raises ConfigRefused for a weight without its column.
    """
    lacking = [n for n in weights.share if n not in table]
    if lacking:
        raise ConfigRefused(
            f"weights name {', '.join(lacking)}; the dimensions are {', '.join(map(str, table.columns))}"
        )
    parts = np.stack([memberships(table[n], grades).to_numpy() for n in weights.share])
    share = (
        np.array(list(weights.share.values()))[:, None]
        * table[list(weights.share)].notna().T.to_numpy()
    )
    with np.errstate(invalid="ignore"):
        share = share / share.sum(axis=0)
    parts = np.nan_to_num(parts)
    joined = (
        share[:, :, None] * parts if operator == "mean" else np.minimum(share[:, :, None], parts)
    )
    total = joined.sum(axis=0) if operator == "mean" else joined.max(axis=0)
    with np.errstate(invalid="ignore"):
        total = total / total.sum(axis=1, keepdims=True)
    membership = pd.DataFrame(total, index=table.index, columns=grades.names)
    return _judged(membership, grades)


def _judged(membership: pd.DataFrame, grades: Grades) -> Evaluation:
    """The grade of largest membership, whether the next is close, and the mean of the peaks."""
    values = membership.to_numpy()
    known = ~np.isnan(values).any(axis=1)
    filled = np.nan_to_num(values)
    order = np.sort(filled, axis=1)
    best = np.array(grades.names, dtype=object)[filled.argmax(axis=1)]
    unclear = order[:, -1] - order[:, -2] < grades.unclear_below
    index = membership.index
    return Evaluation(
        membership,
        pd.Series(best, index).where(known),
        pd.Series(unclear & known, index),
        pd.Series(filled @ np.array(grades.peaks), index).where(known),
    )
