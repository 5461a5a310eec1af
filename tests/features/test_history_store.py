"""The stored history in DuckDB: one view a table, times in UTC, when each customer was first known."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.history_store import create_known_table, open_history

UTC_TIME = pa.timestamp("us", "UTC")


def day(number: int) -> datetime:
    return datetime(2024, 1, number, 12, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two tables in a folder whose name has a quote in it."""
    folder = tmp_path / "it's"
    folder.mkdir()
    events = {"customer_id": ["A", "A", "B"], "occurred_at": [day(3), day(5), day(4)],
              "known_at": [day(6), day(5), day(2)]}  # fmt: skip
    surveys = {"customer_id": ["B", "C"], "sent_at": [day(1), None]}
    for name, columns in (("events", events), ("surveys", surveys)):
        table = pa.table({c: pa.array(v, UTC_TIME if c.endswith("_at") else None)
                          for c, v in columns.items()})  # fmt: skip
        pq.write_table(table, folder / f"{name}.parquet")
    return folder


def test_each_table_is_a_view_and_days_are_those_of_utc(folder: Path, monkeypatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    with open_history(folder) as con:
        rows = con.sql("select occurred_at::varchar from events order by all").fetchall()
        assert rows[0] == ("2024-01-03 12:00:00+00",)
        assert con.sql("select count(*) from surveys").fetchall() == [(2,)]


def test_customers_are_empty_where_the_company_has_none(folder: Path) -> None:
    with open_history(folder) as con:
        assert con.sql("select customer_id, valid_from from customers").fetchall() == []
        with pytest.raises(duckdb.CatalogException):
            con.sql("select * from tickets")


def test_customers_are_known_from_the_first_row_that_is_known(folder: Path) -> None:
    with open_history(folder) as con:
        create_known_table(con, ["events", "surveys"])
        found = con.sql("select customer_id, since::date::varchar from known order by 1").fetchall()
        assert found == [("A", "2024-01-05"), ("B", "2024-01-01")]
        create_known_table(con, ["events"])
        assert con.sql(
            "select since::date::varchar from known where customer_id = 'B'"
        ).fetchall() == [("2024-01-04",)]
