"""Builders of checked tables from literal rows, and helpers to run data quality checks."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import duckdb
import pyarrow as pa

from features.config.company import Company
from features.contract import TABLES
from features.data_quality import daily_counts
from features.data_quality.checked_table import CheckedTable
from features.data_quality.finding import TableFinding
from features.ingest.read_table import SourceTable
from support.table_builders import START, contract_table

KINDS = {"text": pa.string(), "number": pa.float64()}


def build_checked_table(
    name: str,
    rows: list[dict[str, Any]],
    end: float | None = None,
    zone: str = "UTC",
    con: duckdb.DuckDBPyConnection | None = None,
    **attributes: str,
) -> CheckedTable:
    """A checked table of literal rows: times in days after 2024-01-01, `end` days of data.

    Every column of any row is mapped; the kinds in `attributes` are "text" or "number".
    """
    con = con or duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    table = contract_table(name, rows, **{a: KINDS[k] for a, k in attributes.items()})
    con.register("literal_rows", table)
    con.execute(f"create or replace temp table good_{name} as select * from literal_rows")
    columns = tuple(dict.fromkeys(column for row in rows for column in row))
    company = Company.model_validate(
        {"company": {"name": "shop", "time_zone": zone},
         "tables": {name: {"files": "a.csv", "columns": {c: c for c in columns}}}}
    )  # fmt: skip
    clock = TABLES[name].clock
    last = max((row[clock] for row in rows if row.get(clock) is not None), default=0)
    days = int(last) + 1 if end is None else end
    source = SourceTable(TABLES[name], columns, (), attributes, {})
    checked = CheckedTable(con, company, source, len(rows), START + timedelta(days=days))
    if checked.clock:
        daily_counts.count_time_slots(checked)
    return checked


def order_rows(days: Any, **columns: Any) -> list[dict[str, Any]]:
    """One order on each of these days, of customers A to Z in turn."""
    return [
        {"customer_id": chr(65 + i % 26), "occurred_at": day, "kind": "order", **columns}
        for i, day in enumerate(days)
    ]


def finding_rows(found: Iterator[TableFinding]) -> list[tuple[str, str, str, int, int]]:
    """Place, check, severity, rows and total of each finding."""
    return [(f.place, f.check, f.severity, f.rows, f.total) for f in found]


def run_with_daily_counts(
    check: Callable[..., Iterator[TableFinding]], made: CheckedTable
) -> list[TableFinding]:
    """The findings of a check that also needs the days of the table."""
    return list(check(made, daily_counts.count_days(made)))
