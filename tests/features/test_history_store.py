"""The stored history: views in DuckDB, when customers were first known, and reading part of a table."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.history_store import (
    create_known_table,
    open_history,
    read_stored_table,
    stored_customers,
)

UTC_TIME = pa.timestamp("us", "UTC")
IDS = st.lists(st.sampled_from(["A", "B", "Bb", "É", "客户", "z"]), max_size=12).map(sorted)


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


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    return tmp_path_factory.mktemp("stored")


@given(ids=IDS, bounds=st.tuples(st.sampled_from("ABbzÉ"), st.sampled_from("ABbzÉ客")),
       statistics=st.booleans())  # fmt: skip
def test_reading_a_range_equals_filtering_the_table(stored, ids, bounds, statistics):
    table = pa.table(
        {
            "customer_id": pa.array(ids, pa.string()),
            "kind": pa.array(
                [f"k{i % 3}" if i % 4 else None for i in range(len(ids))], pa.string()
            ),
            "amount": pa.array([float(i) for i in range(len(ids))]),
        }
    )
    file = stored / "events.parquet"
    pq.write_table(table, file, row_group_size=2, write_statistics=statistics)
    first, last = sorted(bounds)
    mask = pc.and_(
        pc.greater_equal(table["customer_id"], first), pc.less_equal(table["customer_id"], last)
    )
    assert read_stored_table(file, first, last).cast(table.schema).equals(table.filter(mask))
    assert read_stored_table(file).cast(table.schema).equals(table)
    assert stored_customers([file, file]) == sorted(set(ids))


def test_row_groups_of_other_customers_are_not_read(tmp_path, monkeypatch):
    file = tmp_path / "events.parquet"
    pq.write_table(pa.table({"customer_id": ["A", "B", "C", "D"]}), file, row_group_size=1)
    read = []
    honest = pq.ParquetFile.read_row_groups

    def watched(self, groups, *args, **options):
        read.extend(groups)
        return honest(self, groups, *args, **options)

    monkeypatch.setattr(pq.ParquetFile, "read_row_groups", watched)
    assert read_stored_table(file, "B", "C").num_rows == 2
    assert read == [1, 2]
