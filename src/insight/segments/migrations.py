"""Who moved between tiers from one date to another, and what moved each of them."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from insight.segments.tier_thresholds import TierThresholds, classify_tiers

ENTERED, LEFT, UNSCORED = "(entered)", "(left)", "(no score)"


def find_migrations(
    before: pd.DataFrame,
    after: pd.DataFrame,
    share: Mapping[str, float],
    old: TierThresholds,
    new: TierThresholds,
    by: str = "value_score",
) -> pd.DataFrame:
    """Every customer who changed tier, with his cause and the points behind it.

    Both tables have `tier`, the figure and its dimensions, a row a customer; `share` is what dimensions
    weigh. `cause` is `entered`, `left`, `score appeared`, `score vanished`, `borders` (by the old ones
    he would have stayed), the dimension that moved the figure most in the direction of the move, or
    `confirmed` (the figure was beyond the border before). `points` is how far that cause moved the
    figure, NaN where it is none of figures.
    """
    both = before.add_suffix("_before").join(after.add_suffix("_after"), how="outer")
    came, went = ~both.index.isin(before.index), ~both.index.isin(after.index)
    moved = pd.DataFrame(
        {
            "before": both["tier_before"].fillna(UNSCORED).mask(came, ENTERED),
            "after": both["tier_after"].fillna(UNSCORED).mask(went, LEFT),
            "change": both[f"{by}_after"] - both[f"{by}_before"],
        }
    )
    points = pd.DataFrame(
        {n: w * (both[f"{n}_after"] - both[f"{n}_before"]) for n, w in share.items()}
    )
    stayed_by_old = (classify_tiers(both[f"{by}_after"], old) == both["tier_before"]) & (old != new)
    rows = moved["before"] != moved["after"]
    return _explained(moved[rows], points[rows], stayed_by_old[rows], new)


def _explained(
    moved: pd.DataFrame, points: pd.DataFrame, by_borders: pd.Series, new: TierThresholds
) -> pd.DataFrame:
    """The moves with cause and points: the plain causes first, then borders, then the dimensions."""
    number = {name: place for place, name in enumerate(new.names)}
    way = np.where(moved["after"].map(number) < moved["before"].map(number), 1.0, -1.0)
    toward = points.mul(way, axis=0).fillna(-np.inf)
    name = toward.idxmax(axis=1) if len(moved) else pd.Series(dtype=object)
    driven = (moved["change"] * way > 0) & (toward.max(axis=1) > 0)
    plain = [
        (moved["before"] == ENTERED, "entered"),
        (moved["after"] == LEFT, "left"),
        (moved["before"] == UNSCORED, "score appeared"),
        (moved["after"] == UNSCORED, "score vanished"),
        (by_borders, "borders"),
        (~driven, "confirmed"),
    ]
    cause = name.astype(object)
    for holds, word in reversed(plain):
        cause = cause.mask(holds, word)
    own = toward.max(axis=1) * way if len(moved) else pd.Series(dtype=float)
    return moved.assign(cause=cause, points=own.where(cause == name))


def migration_matrix(before: pd.Series, after: pd.Series, names: tuple[str, ...]) -> pd.DataFrame:
    """Customers by tier before (rows) and after (columns), with those who entered and left.

    Rows and columns sum to the tiers of the two dates.
    """
    both = pd.DataFrame({"before": before, "after": after}).astype(object)
    one = both["before"].fillna(UNSCORED).mask(~both.index.isin(before.index), ENTERED)
    other = both["after"].fillna(UNSCORED).mask(~both.index.isin(after.index), LEFT)
    table = pd.crosstab(one, other)
    rows = [*names, *[n for n in (UNSCORED, ENTERED) if n in table.index]]
    columns = [*names, *[n for n in (UNSCORED, LEFT) if n in table.columns]]
    table = table.reindex(index=rows, columns=columns, fill_value=0)
    return table.rename_axis(index="before", columns="after")


def count_causes(moves: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    """How many moved up and down for each cause, the commonest first."""
    place = {name: i for i, name in enumerate(names)}
    one, other = moves["before"].map(place), moves["after"].map(place)
    way = pd.Series("other", moves.index).mask(other < one, "up").mask(other > one, "down")
    table = pd.crosstab(moves["cause"], way).reindex(columns=["up", "down", "other"], fill_value=0)
    order = table.sum(axis=1).sort_values(ascending=False, kind="stable").index
    return table.loc[order].rename_axis(columns=None)
