"""The time bounds of a company's data: the latest time allowed, the first record, the end."""

from datetime import UTC, datetime, timedelta

import duckdb

from features.calendar_periods import label_of, start_of
from features.config.company import Company, as_utc
from features.ingest.read_table import SourceTable


def latest_allowed(company: Company) -> datetime:
    """The time after which a record is in the future: the declared end of the data, or now."""
    declared = company.info.data_end
    return as_utc(declared) if declared else datetime.now(UTC)


def data_bounds(
    con: duckdb.DuckDBPyConnection, company: Company, tables: dict[str, SourceTable]
) -> tuple[datetime, datetime]:
    """The first record of all tables with a clock, and the first instant that is not in the data.

    Unless declared, that is the midnight after the last record where the company is; of a snapshot,
    after its import.
    """
    clocks = [(n, t.contract.clock) for n, t in tables.items() if n != "customers"]
    parts = " union all ".join(
        ["select null::timestamptz as a, null::timestamptz as b"]
        + [f"select min({c}), max({c}) from good_{n}" for n, c in clocks]
    )
    bounds = con.sql(f"select min(a), max(b) from ({parts})").to_arrow_table()
    first, last = (bounds.column(i)[0].as_py() for i in (0, 1))
    now = datetime.now(UTC)  # without rows there is nothing to bound
    zone = company.info.time_zone
    latest = label_of(last or now, zone)
    day = latest.replace(hour=0, minute=0, second=0, microsecond=0)
    midnight = start_of(day + timedelta(days=1), zone)
    declared = company.info.data_end
    return (first or now).astimezone(UTC), as_utc(declared) if declared else midnight
