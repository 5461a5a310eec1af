"""Migrations of customers between tiers from one date to another, and their causes."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from insight.segments.tier_thresholds import TierThresholds, classify_tiers

ENTERED, LEFT, UNSCORED = "(entered)", "(left)", "(no score)"


def find_migrations(
    before: pd.DataFrame,
    after: pd.DataFrame,
    share: Mapping[str, float],
    old_thresholds: TierThresholds,
    new_thresholds: TierThresholds,
    by: str = "value_score",
) -> pd.DataFrame:
    """Find every customer who changed tier, with the cause and its points.

    Both tables have `tier`, the score `by` and its dimensions, a row per customer; `share` are the
    weights of the dimensions. `cause` is `entered`, `left`, `score appeared`, `score vanished`,
    `borders` (under the old thresholds they would not have moved), the dimension that moved the score
    most in the direction of the migration, or `confirmed` (the score was beyond the threshold before).
    `points` is how far a dimension moved the score, NaN for other causes.
    """
    both = before.add_suffix("_before").join(after.add_suffix("_after"), how="outer")
    entered, left = ~both.index.isin(before.index), ~both.index.isin(after.index)
    moved = pd.DataFrame(
        {
            "before": both["tier_before"].fillna(UNSCORED).mask(entered, ENTERED),
            "after": both["tier_after"].fillna(UNSCORED).mask(left, LEFT),
            "change": both[f"{by}_after"] - both[f"{by}_before"],
        }
    )
    points = pd.DataFrame(
        {n: w * (both[f"{n}_after"] - both[f"{n}_before"]) for n, w in share.items()}
    )
    by_thresholds = (classify_tiers(both[f"{by}_after"], old_thresholds) == both["tier_before"]) & (
        old_thresholds != new_thresholds
    )
    rows = moved["before"] != moved["after"]
    return _add_causes(moved[rows], points[rows], by_thresholds[rows], new_thresholds)


def _add_causes(
    moved: pd.DataFrame, points: pd.DataFrame, by_thresholds: pd.Series, thresholds: TierThresholds
) -> pd.DataFrame:
    """Add cause and points: entries and exits first, then thresholds, then dimensions."""
    number = {dimension: place for place, dimension in enumerate(thresholds.names)}
    direction = np.where(moved["after"].map(number) < moved["before"].map(number), 1.0, -1.0)
    toward = points.mul(direction, axis=0).fillna(-np.inf)
    dimension = toward.idxmax(axis=1) if len(moved) else pd.Series(dtype=object)
    driven = (moved["change"] * direction > 0) & (toward.max(axis=1) > 0)
    causes = [
        (moved["before"] == ENTERED, "entered"),
        (moved["after"] == LEFT, "left"),
        (moved["before"] == UNSCORED, "score appeared"),
        (moved["after"] == UNSCORED, "score vanished"),
        (by_thresholds, "borders"),
        (~driven, "confirmed"),
    ]
    cause = dimension.astype(object)
    for holds, cause_name in reversed(causes):
        cause = cause.mask(holds, cause_name)
    dimension_points = toward.max(axis=1) * direction if len(moved) else pd.Series(dtype=float)
    return moved.assign(cause=cause, points=dimension_points.where(cause == dimension))


def migration_matrix(before: pd.Series, after: pd.Series, names: tuple[str, ...]) -> pd.DataFrame:
    """Count customers by tier before (rows) and after (columns), with those who entered and left.

    Rows and columns sum to the tiers of the two dates.
    """
    both = pd.DataFrame({"before": before, "after": after}).astype(object)
    rows_before = both["before"].fillna(UNSCORED).mask(~both.index.isin(before.index), ENTERED)
    columns_after = both["after"].fillna(UNSCORED).mask(~both.index.isin(after.index), LEFT)
    table = pd.crosstab(rows_before, columns_after)
    rows = [*names, *[n for n in (UNSCORED, ENTERED) if n in table.index]]
    columns = [*names, *[n for n in (UNSCORED, LEFT) if n in table.columns]]
    table = table.reindex(index=rows, columns=columns, fill_value=0)
    return table.rename_axis(index="before", columns="after")


def count_causes(moves: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    """Count the moves up and down for each cause, the most common first."""
    rank = {name: i for i, name in enumerate(names)}
    before, after = moves["before"].map(rank), moves["after"].map(rank)
    direction = (
        pd.Series("other", moves.index).mask(after < before, "up").mask(after > before, "down")
    )
    table = pd.crosstab(moves["cause"], direction).reindex(
        columns=["up", "down", "other"], fill_value=0
    )
    order = table.sum(axis=1).sort_values(ascending=False, kind="stable").index
    return table.loc[order].rename_axis(columns=None)
