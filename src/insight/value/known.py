"""Whose history is told: the tables of a company as DuckDB views, those it lacks included."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


def view_customers(con: "duckdb.DuckDBPyConnection", history: Path) -> None:
    """Make `customers` of the history a view; without rows where there are events only.

    Its customers are then those of the events, which queries add anyway.
    """
    path = history / "customers.parquet"
    if path.is_file():
        con.read_parquet(str(path)).create_view("customers")
    else:
        con.execute(
            "create view customers as select '' as customer_id, null::timestamptz as valid_from "
            "where false"
        )
