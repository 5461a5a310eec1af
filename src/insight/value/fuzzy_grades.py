"""Fuzzy comprehensive evaluation: degrees of membership in several grades."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from features.config.toml_section import TomlSection
from features.errors import ConfigRefused
from insight.value.weights import DimensionWeights


class Grades(TomlSection):
    """`[insight.value.grades]`: grades, and the points of 0-100 at which membership in each is full.

    Between two peaks membership passes linearly from one grade to the next, so that a customer's
    memberships sum to 1. `unclear_below` is the lead that the best grade needs over the next.
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
class FuzzyEvaluation:
    """Memberships by customer and grade (rows sum to 1), grade, unclear flag, points of 0-100."""

    membership: pd.DataFrame
    grade: pd.Series
    unclear: pd.Series
    points: pd.Series


def grade_memberships(points: pd.Series, grades: Grades) -> pd.DataFrame:
    """Return the degree of membership of each value in each grade; NaN for a missing value."""
    peaks, x = np.array(grades.peaks), points.to_numpy(float)
    return pd.DataFrame(
        {
            name: np.interp(x, peaks, np.eye(len(peaks))[i], left=float(i == 0))
            for i, name in enumerate(grades.names)
        },
        index=points.index,
    ).where(points.notna(), np.nan)


def assign_fuzzy_grades(
    table: pd.DataFrame,
    weights: DimensionWeights,
    grades: Grades,
    operator: Literal["mean", "max-min"] = "mean",
) -> FuzzyEvaluation:
    """Grade the dimensions (0-100) and combine the grades under the weights.

    `mean` adds up weight times membership; `max-min` takes the maximum of the minimum of the two, so
    that one decisive dimension settles the grade (normalised to sum to 1). Without a dimension, the
    others get more weight. Raises ConfigRefused for a weight without its column.
    """
    missing = [n for n in weights.share if n not in table]
    if missing:
        raise ConfigRefused(
            f"weights name {', '.join(missing)}; the dimensions are {', '.join(map(str, table.columns))}"
        )
    parts = np.stack([grade_memberships(table[n], grades).to_numpy() for n in weights.share])
    share = (
        np.array(list(weights.share.values()))[:, None]
        * table[list(weights.share)].notna().T.to_numpy()
    )
    with np.errstate(invalid="ignore"):
        share = share / share.sum(axis=0)
    parts = np.nan_to_num(parts)
    combined = (
        share[:, :, None] * parts if operator == "mean" else np.minimum(share[:, :, None], parts)
    )
    total = combined.sum(axis=0) if operator == "mean" else combined.max(axis=0)
    with np.errstate(invalid="ignore"):
        total = total / total.sum(axis=1, keepdims=True)
    membership = pd.DataFrame(total, index=table.index, columns=grades.names)
    return _evaluate_memberships(membership, grades)


def _evaluate_memberships(membership: pd.DataFrame, grades: Grades) -> FuzzyEvaluation:
    """Return the grade of largest membership, whether its lead is small, and the mean of the peaks."""
    values = membership.to_numpy()
    known = ~np.isnan(values).any(axis=1)
    filled = np.nan_to_num(values)
    order = np.sort(filled, axis=1)
    best = np.array(grades.names, dtype=object)[filled.argmax(axis=1)]
    unclear = order[:, -1] - order[:, -2] < grades.unclear_below
    index = membership.index
    return FuzzyEvaluation(
        membership,
        pd.Series(best, index).where(known),
        pd.Series(unclear & known, index),
        pd.Series(filled @ np.array(grades.peaks), index).where(known),
    )
