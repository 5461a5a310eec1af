"""A table under check: its validated rows in DuckDB, its mapping, its time column."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from features.calendar_periods import local_sql
from features.config.company import Company
from features.ingest.read_table import SourceTable

#: The column whose values are checked separately: an order's amount is unlike a return's.
SERIES = {"customers": None, "events": "kind", "surveys": "instrument", "tickets": "kind"}

#: Largest number of rows used for medians; counts always use all rows.
SAMPLE = 1_000_000


@dataclass(frozen=True)
class CheckedTable:
    """A validated table, `good_<name>` in DuckDB; `end` is the end of the data."""

    connection: duckdb.DuckDBPyConnection
    company: Company
    source: SourceTable
    rows: int
    end: datetime

    @property
    def name(self) -> str:
        return self.source.contract.name

    @property
    def view(self) -> str:
        return f"good_{self.name}"

    @property
    def clock(self) -> str | None:
        """The column with the time of a row; None for customers without versions."""
        clock = self.source.contract.clock
        return clock if clock in self.source.columns else None

    @property
    def series_sql(self) -> str:
        """SQL of the series a row belongs to, an empty text where a table has only one."""
        column = SERIES[self.name]
        return f"coalesce(\"{column}\", '')" if column else "''"

    @property
    def time_zone(self) -> str:
        return self.company.info.time_zone

    def has(self, *columns: str) -> bool:
        """Whether the company maps all of these columns."""
        return set(columns) <= set(self.source.columns)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query; select times as `epoch_us`."""
        return list(self.connection.execute(sql).fetchall())

    def query_row(self, sql: str) -> tuple[Any, ...]:
        """The only row of a query."""
        return self.query(sql)[0]

    def sample_condition(self) -> str:
        """SQL condition that keeps at most `SAMPLE` rows, evenly spread, the same in every run."""
        every = -(-self.rows // SAMPLE)
        if every <= 1:
            return "true"
        return f"hash(customer_id, {self.clock or 'customer_id'}) % {every} = 0"

    def local_time(self, micros: int) -> datetime:
        """A time in microseconds since 1970, in the company's time zone."""
        return datetime.fromtimestamp(micros / 1e6, UTC).astimezone(ZoneInfo(self.time_zone))

    def local_date(self, micros: int) -> str:
        """The date of a time in the company's time zone."""
        return f"{self.local_time(micros):%Y-%m-%d}"


def month_of(clock: str | None, zone: str) -> str:
    """SQL of the first day of a time's month, in the company's time zone."""
    return f"date_trunc('month', {local_sql(str(clock), zone)})::date"
