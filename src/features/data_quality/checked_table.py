"""The table a check looks at: its checked rows in DuckDB, its mapping, its clock."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from features.config.company import Company
from features.ingest.read_table import Mapped

#: The column whose values are looked at apart: an order's amount says nothing about a login's.
SERIES = {"customers": None, "events": "kind", "surveys": "instrument", "tickets": "kind"}

#: Rows from which medians are taken; counts are always of all rows.
SAMPLE = 1_000_000


@dataclass(frozen=True)
class Subject:
    """A table after the contract's rules, `good_<name>` in DuckDB; `end` is the end of the data."""

    con: duckdb.DuckDBPyConnection
    company: Company
    mapped: Mapped
    rows: int
    end: datetime

    @property
    def name(self) -> str:
        return self.mapped.contract.name

    @property
    def table(self) -> str:
        return f"good_{self.name}"

    @property
    def clock(self) -> str | None:
        """The time a row is about; None for customers without versions."""
        clock = self.mapped.contract.clock
        return clock if clock in self.mapped.columns else None

    @property
    def series(self) -> str:
        """SQL of the series a row belongs to, an empty text where a table has only one."""
        column = SERIES[self.name]
        return f"coalesce(\"{column}\", '')" if column else "''"

    @property
    def zone(self) -> str:
        return self.company.about.time_zone

    def has(self, *columns: str) -> bool:
        """Whether the company maps all of these columns."""
        return set(columns) <= set(self.mapped.columns)

    def all(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query; times must be asked for as `epoch_us`."""
        return list(self.con.execute(sql).fetchall())

    def one(self, sql: str) -> tuple[Any, ...]:
        """The only row of a query."""
        return self.all(sql)[0]

    def sampled(self) -> str:
        """SQL condition that keeps the same million rows at most in every run, spread evenly."""
        every = -(-self.rows // SAMPLE)
        if every <= 1:
            return "true"
        return f"hash(customer_id, {self.clock or 'customer_id'}) % {every} = 0"

    def local(self, micros: int) -> datetime:
        """A moment, given as microseconds since 1970, on the company's clocks."""
        return datetime.fromtimestamp(micros / 1e6, UTC).astimezone(ZoneInfo(self.zone))

    def on_day(self, micros: int) -> str:
        """The day of a moment on the company's calendar."""
        return f"{self.local(micros):%Y-%m-%d}"


def month_of(clock: str | None) -> str:
    """SQL of the month (of UTC) a time lies in, as its first day: cheap, for it asks no zone."""
    return f"date_trunc('month', make_timestamp(epoch_us({clock})))::date"
