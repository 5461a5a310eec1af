"""A table as the checks look at it, out of rows written in a test."""

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


def subject(
    name: str,
    rows: list[dict[str, Any]],
    end: float | None = None,
    zone: str = "UTC",
    con: duckdb.DuckDBPyConnection | None = None,
    **attributes: str,
) -> CheckedTable:
    """Rows as a checked table: times in days after 2024-01-01, `end` days of data.

    Mapped are the columns any row has; `attributes` of customers are "text" or "number".
    """
    con = con or duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    table = contract_table(name, rows, **{a: KINDS[k] for a, k in attributes.items()})
    con.register("by_hand", table)
    con.execute(f"create or replace temp table good_{name} as select * from by_hand")
    columns = tuple(dict.fromkeys(column for row in rows for column in row))
    company = Company.model_validate(
        {"company": {"name": "shop", "time_zone": zone},
         "tables": {name: {"files": "a.csv", "columns": {c: c for c in columns}}}}
    )  # fmt: skip
    clock = TABLES[name].clock
    last = max((row[clock] for row in rows if row.get(clock) is not None), default=0)
    days = int(last) + 1 if end is None else end
    mapped = SourceTable(TABLES[name], columns, (), attributes, {})
    made = CheckedTable(con, company, mapped, len(rows), START + timedelta(days=days))
    if made.clock:
        daily_counts.count_time_slots(made)
    return made


def orders(days: Any, **columns: Any) -> list[dict[str, Any]]:
    """An order on each of these days, of customers A to Z in turn."""
    return [
        {"customer_id": chr(65 + place % 26), "occurred_at": when, "kind": "order", **columns}
        for place, when in enumerate(days)
    ]


def told(found: Iterator[TableFinding]) -> list[tuple[str, str, str, int, int]]:
    """Place, check, severity, rows and total of each finding."""
    return [(f.place, f.check, f.severity, f.rows, f.total) for f in found]


def run(check: Callable[..., Iterator[TableFinding]], made: CheckedTable) -> list[TableFinding]:
    """The findings of a check that also needs the days of the table."""
    return list(check(made, daily_counts.count_days(made)))
