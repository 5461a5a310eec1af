"""Rows of a table by kind and day: of the tables being imported, and of the stored history."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import duckdb

from features.config.company import Company
from features.contract import TABLES
from features.data_quality.checked_table import SERIES
from features.ingest.sql import quote_identifier, quote_literal

#: Rows by local day, in days since 1970.
Counts = dict[int, int]
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class DailyRows:
    """Rows of one table: all of them, by kind and day of their time, by kind and day they were known.

    The kind None counts the whole table. An order that is booked two days later is known on that
    day: only `known` is complete at the end of a night. Customers have no days, as a table that
    keeps one row per customer moves it with every change.
    """

    table: str
    rows: int
    by_day: Mapping[str | None, Counts] = field(default_factory=dict)
    known: Mapping[str | None, Counts] = field(default_factory=dict)

    @property
    def last_day(self) -> int | None:
        """The last day with a row."""
        return max(self.by_day.get(None, {}), default=None)

    @property
    def kinds(self) -> list[str]:
        """The kinds of the table's rows, largest first."""
        kinds = [k for k in self.by_day if k is not None]
        size = {k: sum(self.by_day[k].values()) for k in kinds}
        return sorted(kinds, key=lambda k: (-size[k], k))


def count_imported_rows(
    con: duckdb.DuckDBPyConnection, company: Company, tables: Iterable[str]
) -> dict[str, DailyRows]:
    """Count the rows of the validated tables `good_<table>`."""
    zone = company.info.time_zone
    return {name: _count(con, name, f"good_{name}", zone) for name in tables}


def count_stored_rows(
    con: duckdb.DuckDBPyConnection, company: Company, folder: Path
) -> dict[str, DailyRows]:
    """Count the rows of each table of the stored history; empty where there is none."""
    zone = company.info.time_zone
    files = {f.stem: f for f in sorted(folder.glob("*.parquet")) if f.stem in TABLES}
    return {
        name: _count(con, name, f"read_parquet({quote_literal(str(file))})", zone)
        for name, file in files.items()
    }


def day_text(day: int) -> str:
    """A day as text, such as 2026-06-30."""
    return str(EPOCH + timedelta(days=day))


def day_number(text: str) -> int:
    """The days since 1970 of a date."""
    return (date.fromisoformat(text) - EPOCH).days


def _count(con: duckdb.DuckDBPyConnection, name: str, source: str, zone: str) -> DailyRows:
    rows = int(con.execute(f"select count(*) from {source}").fetchall()[0][0])
    if name == "customers":
        return DailyRows(name, rows)
    clock, known = TABLES[name].clock, TABLES[name].known
    by_day = _by_kind_and_day(con, name, source, clock, zone)
    if known == clock:
        return DailyRows(name, rows, by_day, by_day)
    # Most rows are known at once: only the others are counted again, which takes half the time.
    late = f"(select * from {source} where {known} > {clock})"
    occurred = _by_kind_and_day(con, name, late, clock, zone)
    if not occurred[None]:
        return DailyRows(name, rows, by_day, by_day)
    moved = _by_kind_and_day(con, name, late, known, zone)
    return DailyRows(name, rows, by_day, _moved(by_day, occurred, moved))


def _moved(
    counts: Mapping[str | None, Counts],
    away: Mapping[str | None, Counts],
    there: Mapping[str | None, Counts],
) -> dict[str | None, Counts]:
    """Counts in which some rows are moved to other days."""
    result = {kind: dict(days) for kind, days in counts.items()}
    for sign, part in ((-1, away), (1, there)):
        for kind, days in part.items():
            for day, n in days.items():
                result[kind][day] = result[kind].get(day, 0) + sign * n
    return {kind: {d: n for d, n in days.items() if n} for kind, days in result.items()}


def _by_kind_and_day(
    con: duckdb.DuckDBPyConnection, name: str, source: str, time: str, zone: str
) -> dict[str | None, Counts]:
    """Rows by kind and local day; the rows of the table under None.

    Quarters of an hour are counted first: a time zone for every row would be slow.
    """
    column = SERIES[name]
    kind = f"coalesce({quote_identifier(column)}, '')" if column else "''"
    local = f"timezone({quote_literal(zone)}, make_timestamp(slot * 900000000)::timestamptz)"
    found = con.execute(
        f"select kind, datediff('day', date '1970-01-01', {local}::date) as day, sum(n)::bigint "
        f"from (select {kind} as kind, epoch_us({time}) // 900000000 as slot, count(*) as n "
        f"from {source} where {time} is not null group by 1, 2) group by 1, 2 order by 1, 2"
    ).fetchall()
    counts: dict[str | None, Counts] = {None: {}}
    for value, day, n in found:
        counts.setdefault(str(value), {})[day] = n
        counts[None][day] = counts[None].get(day, 0) + n
    return counts
