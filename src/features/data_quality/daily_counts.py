"""Rows of a table day by day on the company's calendar, by series: what volume is judged on."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from features.data_quality.checked_table import CheckedTable
from features.ingest.sql import quote_identifier
from features.ingest.sql import quote_literal

Counts = NDArray[np.float64]

#: Series looked at one by one; all rows count in the sum.
SERIES_SHOWN = 12
#: Rows so much older than all others are a matter of their own (check "dates").
STRAGGLERS, YEAR = 0.001, 365
#: The end of the data is an instant of UTC: a last day with fewer hours is no day to judge.
MOST_HOURS = 18


@dataclass(frozen=True)
class DailyCounts:
    """Rows per local day from `first` to the end of the data; `before` are stragglers left aside."""

    first: date
    days: int
    total: Counts
    series: dict[str, Counts]
    before: int

    def on(self, place: int) -> date:
        """The day at a place."""
        return self.first + timedelta(days=place)


def count_time_slots(table: CheckedTable) -> None:
    """Count `slots_<table>` in one pass: rows and filled columns by quarter of an hour and series.

    Every time zone's days and months can be put together from quarters of an hour.
    """
    columns = [c for c in table.source.columns if c not in ("customer_id", table.clock)]
    filled = "".join(f", count({quote_identifier(c)}) as {quote_identifier('has_' + c)}" for c in columns)
    micros = f"epoch_us({table.clock})"
    table.connection.execute(
        f"create or replace temp table slots_{table.name} as "
        f"select timezone({quote_literal(table.time_zone)}, make_timestamp(slot * 900000000)::timestamptz) "
        f"as local, * from (select {micros} // 900000000 as slot, {table.series_sql} as series, "
        f"count(*) as n, count(*) filter ({micros} % 900000000 = 0) as sharp{filled} "
        f"from {table.view} where {table.clock} is not null group by 1, 2)"
    )


def count_days(table: CheckedTable) -> DailyCounts | None:
    """The days of a laid-out table; None without rows."""
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
    """The last day the data cover, three quarters of it at least, in days since 1970."""
    end = table.local_time(int(table.end.timestamp() * 1e6))
    whole = end.hour >= MOST_HOURS
    return (end.date() - date(1970, 1, 1)).days - (0 if whole else 1)


def _by_day(places: NDArray[np.int64], counts: Counts, length: int) -> Counts:
    return np.bincount(places, counts, length).astype(np.float64)


def _robust_start(days: NDArray[np.int64], counts: Counts) -> int:
    """The first day, but for a few rows that lie more than a year before all others."""
    order = np.argsort(days, kind="stable")
    days, counts = days[order], counts[order]
    share = np.cumsum(counts) / counts.sum()
    few = np.flatnonzero(share <= STRAGGLERS)
    gaps = np.diff(days)
    jumps = [i for i in few if i < len(gaps) and gaps[i] > YEAR]
    return int(days[jumps[-1] + 1] if jumps else days[0])


def rows_after(line: DailyCounts, counts: Counts, moment: date) -> float:
    """Rows of a series after a day."""
    return float(counts[max((moment - line.first).days + 1, 0) :].sum())


def rows_before(line: DailyCounts, counts: Counts, moment: date) -> float:
    """Rows of a series before a day."""
    return float(counts[: max((moment - line.first).days, 0)].sum())
