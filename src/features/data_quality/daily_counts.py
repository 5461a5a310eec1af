"""Rows of a table per day in the company's time zone, by series."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from features.data_quality.checked_table import CheckedTable
from features.ingest.sql import quote_identifier, quote_literal

Counts = NDArray[np.float64]

#: Largest number of series with counts of their own; the total counts all rows.
SERIES_SHOWN = 12
#: Share of rows, and days of distance, that make the oldest rows stragglers (check "dates").
STRAGGLERS, YEAR = 0.001, 365
#: The last day counts if it has at least this many hours before the end of the data (in UTC).
MOST_HOURS = 18


@dataclass(frozen=True)
class DailyCounts:
    """Rows per local day from `first` to the end of the data; `stragglers` counts older rows."""

    first: date
    days: int
    total: Counts
    series: dict[str, Counts]
    stragglers: int

    def date_at(self, position: int) -> date:
        return self.first + timedelta(days=position)


def count_time_slots(table: CheckedTable) -> None:
    """Create the table `slots_<name>`: rows and filled columns by quarter of an hour and series.

    Quarters of an hour add up to the days and months of every time zone, so one pass is enough.
    """
    columns = [c for c in table.source.columns if c not in ("customer_id", table.clock)]
    filled = "".join(
        f", count({quote_identifier(c)}) as {quote_identifier('has_' + c)}" for c in columns
    )
    micros = f"epoch_us({table.clock})"
    table.connection.execute(
        f"create or replace temp table slots_{table.name} as "
        f"select timezone({quote_literal(table.time_zone)}, "
        f"make_timestamp(slot * 900000000)::timestamptz) as local, * from "
        f"(select {micros} // 900000000 as slot, {table.series_sql} as series, "
        f"count(*) as n, count(*) filter ({micros} % 900000000 = 0) as sharp{filled} "
        f"from {table.view} where {table.clock} is not null group by 1, 2)"
    )


def count_days(table: CheckedTable) -> DailyCounts | None:
    """Daily counts from `slots_<name>`; None without rows."""
    found = table.query(
        "select datediff('day', date '1970-01-01', local::date), series, sum(n)::bigint "
        f"from slots_{table.name} group by 1, 2"
    )
    if not found:
        return None
    days = np.array([row[0] for row in found])
    counts = np.array([row[2] for row in found], np.float64)
    names = np.array([row[1] for row in found])
    first = _robust_start(days, counts)
    epoch = date(1970, 1, 1)
    length = max(_last_day(table), first) - first + 1
    inside = (days >= first) & (days < first + length)
    total = _by_day(days[inside] - first, counts[inside], length)
    sizes = {str(n): float(counts[names == n].sum()) for n in np.unique(names)}
    shown = sorted(sizes, key=lambda n: (-sizes[n], n))[:SERIES_SHOWN]
    series = {
        n: _by_day(days[k] - first, counts[k], length)
        for n, k in ((n, inside & (names == n)) for n in shown)
    }
    return DailyCounts(
        epoch + timedelta(days=first), length, total, series, int(counts[days < first].sum())
    )


def _last_day(table: CheckedTable) -> int:
    """The last day of which the data cover at least three quarters, in days since 1970."""
    end = table.local_time(int(table.end.timestamp() * 1e6))
    whole = end.hour >= MOST_HOURS
    return (end.date() - date(1970, 1, 1)).days - (0 if whole else 1)


def _by_day(positions: NDArray[np.int64], counts: Counts, length: int) -> Counts:
    return np.bincount(positions, counts, length).astype(np.float64)


def _robust_start(days: NDArray[np.int64], counts: Counts) -> int:
    """The first day, ignoring a few rows more than a year older than all others."""
    order = np.argsort(days, kind="stable")
    days, counts = days[order], counts[order]
    share = np.cumsum(counts) / counts.sum()
    few = np.flatnonzero(share <= STRAGGLERS)
    gaps = np.diff(days)
    jumps = [i for i in few if i < len(gaps) and gaps[i] > YEAR]
    return int(days[jumps[-1] + 1] if jumps else days[0])


def rows_after(daily: DailyCounts, counts: Counts, day: date) -> float:
    """Rows of a series after a day."""
    return float(counts[max((day - daily.first).days + 1, 0) :].sum())


def rows_before(daily: DailyCounts, counts: Counts, day: date) -> float:
    """Rows of a series before a day."""
    return float(counts[: max((day - daily.first).days, 0)].sum())
