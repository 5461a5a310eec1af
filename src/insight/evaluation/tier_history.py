"""The tiers of the past months, as they were told: what the next month moves on from.

Tiers move once a month, with the first evaluation in it. Later ones of the same month only place
newcomers, so that a nightly run does not move what the night before moved.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from features.atomic_write import atomic_path
from insight.evaluation.parquet_types import arrow
from insight.segments.tier_hysteresis import (
    MIN_CUSTOMERS,
    TierAssignment,
    assign_first_tiers,
    estimate_half_width,
    update_tiers,
)
from insight.segments.tier_thresholds import TierThresholds, classify_tiers

#: Months whose tiers are kept.
KEPT_MONTHS = 24
#: Earlier months worked out afterwards when there is nothing to move on from.
REBUILT = 3


@dataclass(frozen=True)
class TierMonth:
    """The tiers of one month, told on the day `as_of`; `rebuilt`: worked out afterwards.

    `table`, a row a customer: tier, leaning, since (when he came into the tier, as far as known),
    stage, value_score and the dimensions of the score.
    """

    as_of: datetime
    table: pd.DataFrame
    versions: dict[str, str]
    rebuilt: bool = False

    @property
    def name(self) -> str:
        """The month the day ends: data until the first of July tell of June."""
        return f"{self.as_of - pd.Timedelta(microseconds=1):%Y-%m}"

    @property
    def placed(self) -> TierAssignment:
        return TierAssignment(self.table["tier"], self.table["leaning"], self.table["value_score"])

    def write(self, folder: Path) -> None:
        """Keep the month in the folder, whole or not at all, and the last 24 of them."""
        folder.mkdir(parents=True, exist_ok=True)
        told = {"as_of": self.as_of.isoformat(), "versions": self.versions, "rebuilt": self.rebuilt}
        table = arrow(self.table)
        path = folder / f"{self.name}.parquet"
        metadata = {b"goodwill": json.dumps(told).encode()}
        with atomic_path(path) as temporary:
            pq.write_table(table.replace_schema_metadata(metadata), temporary)
        for old in sorted(folder.glob("*.parquet"))[:-KEPT_MONTHS]:
            old.unlink()

    @classmethod
    def read(cls, path: Path) -> "TierMonth":
        """A month as it was kept."""
        found = pq.read_table(path)
        told = json.loads((found.schema.metadata or {})[b"goodwill"])
        table = found.replace_schema_metadata(None).to_pandas().set_index("customer_id")
        return cls(datetime.fromisoformat(told["as_of"]), table, told["versions"], told["rebuilt"])


def read_months(folder: Path) -> list[TierMonth]:
    """Every month kept, the oldest first."""
    return [TierMonth.read(path) for path in sorted(folder.glob("*.parquet"))]


def earlier_days(end: datetime, earliest: datetime, count: int = REBUILT) -> list[datetime]:
    """The same day of so many months before, oldest first, from the earliest on."""
    days = [pd.Timestamp(end) - pd.DateOffset(months=m) for m in range(count, 0, -1)]
    return [day.to_pydatetime() for day in days if day >= earliest]


def assign_tiers(beside: TierMonth | None, month: TierMonth, found: TierThresholds) -> TierMonth:
    """A month with everybody's tier: moved on from the month `beside` it, or placed by the figure.

    `month` comes without tiers. In a month already told, tiers stay and newcomers are placed. How far a
    figure must be beyond a border is told from how figures differ between the two months, with fewer
    than 30 customers from the figures' own intervals.
    """
    figure = month.table["value_score"]
    if beside is None:
        placed = assign_first_tiers(figure, found)
    elif beside.name == month.name:
        placed = keep_tiers(beside.placed, figure, found)
    else:
        placed = update_tiers(beside.placed, figure, _half_width(beside, month), found)
    return replace(month, table=month.table.assign(tier=placed.tier, leaning=placed.leaning))


def _half_width(beside: TierMonth, month: TierMonth) -> pd.Series | float:
    figure = month.table["value_score"]
    before = beside.table["value_score"].reindex(figure.index)
    if (before.notna() & figure.notna()).sum() >= MIN_CUSTOMERS:
        return estimate_half_width(before, figure)
    wide = month.table["value_score_high"] - month.table["value_score_low"]
    return (wide / 2).fillna(0.0)


def rebuild_months(today: TierMonth, past: Sequence[TierMonth], found: TierThresholds) -> list[TierMonth]:
    """The rebuilt months `past` (oldest first) told backwards from today, which is placed already.

    Somebody was in another tier only where his figure was surely beyond the border then: tiers of
    today are those of today's figures, and the moves to them are no noise.
    """
    told = [today]
    for month in reversed(past):
        told.insert(0, classify_tiers(told[0], month, found))
    return told[:-1]


def add_since(months: Sequence[TierMonth]) -> list[TierMonth]:
    """The months with `since`: when each customer came into his tier, as far back as is known."""
    told: list[TierMonth] = []
    for month in months:
        before = told[-1] if told else None
        if "since" not in month.table:
            month = replace(month, table=month.table.assign(since=_since(before, month)))
        told.append(month)
    return told


def keep_since(before: TierMonth, told: TierMonth) -> TierMonth:
    """A month told again, with `since` as it was told before; newcomers came into their tier now."""
    return replace(told, table=told.table.assign(since=_since(before, told)))


def keep_tiers(before: TierAssignment, figure: pd.Series, found: TierThresholds) -> TierAssignment:
    """The tiers of those placed before, and of newcomers by the figure alone; none without a figure."""
    fresh = classify_tiers(figure, found)
    tier = before.tier.reindex(figure.index).where(lambda t: t.notna(), fresh)
    leaning = before.leaning.reindex(figure.index).fillna(0).astype(int)
    return TierAssignment(tier.where(figure.notna(), None), leaning, figure)


def _since(before: TierMonth | None, month: TierMonth) -> pd.Series:
    tier = month.table["tier"]
    now = pd.Series(pd.Timestamp(month.as_of), tier.index).where(tier.notna())
    if before is None:
        return now
    same = before.table["tier"].reindex(tier.index) == tier
    return now.mask(same, before.table["since"].reindex(tier.index))
