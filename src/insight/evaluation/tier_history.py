"""Tiers of past months, on which the next month's tiers are based.

Tiers change once a month, at the first evaluation in it. Later evaluations of the same month only
assign new customers, so that a nightly run does not undo the changes of the night before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.atomic_write import atomic_path
from features.calendar_periods import label_of
from features.execution.file_metadata import read_metadata, with_metadata
from insight.segments.tier_hysteresis import (
    MIN_CUSTOMERS,
    TierAssignment,
    assign_first_tiers,
    estimate_half_width,
    update_tiers,
)
from insight.segments.tier_thresholds import TierThresholds, classify_tiers

#: Number of months to keep.
KEPT_MONTHS = 24
#: Number of earlier months to rebuild when none is stored.
REBUILT = 3
INSTANT = pa.timestamp("us", "UTC")


@dataclass(frozen=True)
class TierMonth:
    """Tiers of one month, assigned as of `as_of`; `rebuilt`: computed later, with newer models.

    `table` has one row per customer: tier, leaning, since (the start of the current tier, as far as
    known), stage, value_score and the dimensions of the score. `zone` is the company's time zone.
    """

    as_of: datetime
    table: pd.DataFrame
    versions: dict[str, str]
    rebuilt: bool = False
    zone: str = "UTC"

    @property
    def name(self) -> str:
        """The month of the last instant before `as_of`: data until 1 July belong to June."""
        return f"{label_of(self.as_of - timedelta(microseconds=1), self.zone):%Y-%m}"

    @property
    def placed(self) -> TierAssignment:
        """The tiers with the scores they are based on."""
        return TierAssignment(self.table["tier"], self.table["leaning"], self.table["value_score"])

    def write(self, folder: Path) -> None:
        """Write the month atomically, and delete all but the last 24 months."""
        folder.mkdir(parents=True, exist_ok=True)
        about = {
            "as_of": self.as_of.isoformat(),
            "versions": self.versions,
            "rebuilt": self.rebuilt,
            "zone": self.zone,
        }
        table = to_arrow(self.table)
        with atomic_path(folder / f"{self.name}.parquet") as temporary:
            pq.write_table(with_metadata(table, about), temporary)
        for old in sorted(folder.glob("*.parquet"))[:-KEPT_MONTHS]:
            old.unlink()

    @classmethod
    def read(cls, path: Path) -> "TierMonth":
        """Read a stored month."""
        found = pq.read_table(path)
        about = read_metadata(found.schema)
        table = found.replace_schema_metadata(None).to_pandas().set_index("customer_id")
        as_of = datetime.fromisoformat(about["as_of"])
        return cls(as_of, table, about["versions"], about["rebuilt"], about.get("zone", "UTC"))


def read_months(folder: Path) -> list[TierMonth]:
    """Read all stored months, the oldest first."""
    return [TierMonth.read(path) for path in sorted(folder.glob("*.parquet"))]


def earlier_dates(end: datetime, earliest: datetime, count: int = REBUILT) -> list[datetime]:
    """Return the same day of the `count` months before, oldest first, none before `earliest`."""
    dates = [pd.Timestamp(end) - pd.DateOffset(months=m) for m in range(count, 0, -1)]
    return [date.to_pydatetime() for date in dates if date >= earliest]


def assign_tiers(
    previous: TierMonth | None, month: TierMonth, thresholds: TierThresholds
) -> TierMonth:
    """Add every customer's tier to a month: based on the `previous` month, or on the score alone.

    In the same month as `previous`, tiers stay and only new customers get one. How far a score must be
    beyond a threshold depends on how scores differ between the two months; with fewer than 30 customers,
    on the intervals of the scores.
    """
    score = month.table["value_score"]
    if previous is None:
        assigned = assign_first_tiers(score, thresholds)
    elif previous.name == month.name:
        assigned = keep_tiers(previous.placed, score, thresholds)
    else:
        half_width = _half_width(previous, month)
        assigned = update_tiers(previous.placed, score, half_width, thresholds)
    return replace(month, table=month.table.assign(tier=assigned.tier, leaning=assigned.leaning))


def _half_width(previous: TierMonth, month: TierMonth) -> pd.Series | float:
    score = month.table["value_score"]
    before = previous.table["value_score"].reindex(score.index)
    if (before.notna() & score.notna()).sum() >= MIN_CUSTOMERS:
        return estimate_half_width(before, score)
    width = month.table["value_score_high"] - month.table["value_score_low"]
    return (width / 2).fillna(0.0)


def rebuild_months(
    today: TierMonth, past: Sequence[TierMonth], thresholds: TierThresholds
) -> list[TierMonth]:
    """Add tiers to the `past` months (oldest first), backwards from today's.

    A customer had another tier only where the score of that month was clearly beyond the threshold:
    today's tiers follow today's scores, so that no change to them is noise.
    """
    months = [today]
    for month in reversed(past):
        months.insert(0, assign_tiers(months[0], month, thresholds))
    return months[:-1]


def add_since(months: Sequence[TierMonth]) -> list[TierMonth]:
    """Add `since`, the start of each customer's current tier as far as known, to the months."""
    complete: list[TierMonth] = []
    for month in months:
        before = complete[-1] if complete else None
        if "since" not in month.table:
            month = replace(month, table=month.table.assign(since=_since(before, month)))
        complete.append(month)
    return complete


def keep_since(before: TierMonth, again: TierMonth) -> TierMonth:
    """Keep `since` of an earlier evaluation of the same month; the tier of new customers starts now."""
    return replace(again, table=again.table.assign(since=_since(before, again)))


def keep_tiers(
    before: TierAssignment, score: pd.Series, thresholds: TierThresholds
) -> TierAssignment:
    """Keep the tiers of known customers and assign new ones by the score; no tier without a score."""
    by_score = classify_tiers(score, thresholds)
    tier = before.tier.reindex(score.index).where(lambda t: t.notna(), by_score)
    leaning = before.leaning.reindex(score.index).fillna(0).astype(int)
    return TierAssignment(tier.where(score.notna(), None), leaning, score)


def _since(before: TierMonth | None, month: TierMonth) -> pd.Series:
    tier = month.table["tier"]
    now = pd.Series(pd.Timestamp(month.as_of), tier.index).where(tier.notna())
    if before is None:
        return now
    same = before.table["tier"].reindex(tier.index) == tier
    return now.mask(same, before.table["since"].reindex(tier.index))


def to_arrow(table: pd.DataFrame) -> pa.Table:
    """Convert a table of customers to Arrow, index first, with the same types whatever is missing.

    Texts, numbers and instants (microseconds, UTC); missing values are null.
    """
    flat = table.reset_index()
    return pa.table({str(name): _column(flat[name]) for name in flat})


def _column(values: pd.Series) -> pa.Array:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        naive = values.dt.tz_convert(None).to_numpy("datetime64[us]")
        return pa.array(naive, pa.timestamp("us"), from_pandas=True).cast(INSTANT)
    if pd.api.types.is_integer_dtype(values):
        return pa.array(values.astype(object).to_numpy(), pa.int64(), from_pandas=True)
    if pd.api.types.is_bool_dtype(values):
        return pa.array(values.to_numpy(), pa.bool_())
    if pd.api.types.is_float_dtype(values):
        return pa.array(values.to_numpy(), pa.float64(), from_pandas=True)
    return pa.array(values.astype(object).to_numpy(), pa.string(), from_pandas=True)
