"""Duplicate rows in the table and in the source files."""

import duckdb
import pytest

from features.config.table_mapping import TableMapping
from features.data_quality.duplicates import check_duplicates, check_duplicates_in_sources
from support.checked_table_builders import build_checked_table, finding_rows, order_rows


def test_equal_rows_and_rows_with_an_equal_key():
    rows = order_rows([1, 2, 3], amount=5.0, channel="web")
    rows += [rows[0], rows[0], {**rows[1], "channel": "shop"}]
    found = list(check_duplicates(build_checked_table("events", rows)))
    assert finding_rows(found) == [
        ("events", "duplicates", "warning", 2, 6),
        ("events.occurred_at", "same key", "advice", 1, 6),
    ]
    assert found[0].says == (
        "2 rows are equal to another one in every column, such as A at 2024-01-02 00:00:00"
    )
    assert 'duplicates = "remove" under tables.events' in found[0].remedy


def test_rows_with_different_keys_are_no_duplicates():
    rows = order_rows([1, 1], amount=5.0) + order_rows([1], amount=6.0)
    assert list(check_duplicates(build_checked_table("events", rows))) == []


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute(
        "create view first_year as select * from (values (1, 'a'), (1, 'a'), (2, 'b')) t(i, v)"
    )
    con.execute("create view second_year as select * from (values (2, 'b'), (3, 'c')) t(i, v)")
    con.execute("create view prices as select * from (values (2, 'b')) t(other, v)")
    return con


def test_files_that_repeat_rows_or_share_them(con):
    mapping = TableMapping(
        sources={s: f"{s}.csv" for s in ("first_year", "second_year", "prices")},
        query="select 1", columns={"customer_id": "i"},
    )  # fmt: skip
    found = list(check_duplicates_in_sources(con, "events", mapping))
    assert [(f.rows, f.total, f.says) for f in found] == [
        (1, 3, "1 of 3 rows of first_year are equal to another one in every column"),
        (1, 2, "1 of 2 rows of second_year are also in first_year"),
    ]
    assert "select distinct" in found[0].remedy


def test_without_a_query_the_sources_are_not_checked(con):
    mapping = TableMapping(files="a.csv", columns={"customer_id": "i"})
    assert list(check_duplicates_in_sources(con, "events", mapping)) == []
