"""Texts become times only where all of a text is one; numbers in a time column are explained."""

from datetime import UTC, datetime

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.ingest.time_texts import describe_counted_times, time_sql, zone_sql


@pytest.fixture(scope="module")
def con():
    """A connection in UTC, as an import has it."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def read(con, text, zone="Europe/Berlin"):
    found = con.execute(f"select epoch_us({time_sql('x', zone)}) from (select ? as x)", [text])
    micros = found.fetchall()[0][0]
    return (
        None if micros is None else f"{datetime.fromtimestamp(micros / 1e6, UTC):%Y-%m-%d %H:%M:%S}"
    )


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2024-01-15 04:26:28", "2024-01-15 03:26:28"),
        ("2024/7/15 4:26", "2024-07-15 02:26:00"),
        ("2024-01-15", "2024-01-14 23:00:00"),
        ("2024-01-15 04:26:28,250", "2024-01-15 03:26:28"),
        ("2024-01-15T04:26:28Z", "2024-01-15 04:26:28"),
        ("2024-01-15 04:26:28 UTC", "2024-01-15 04:26:28"),
        ("2024-01-15 04:26:28 GMT", "2024-01-15 04:26:28"),
        ("2024-01-15 04:26:28 +02:00", "2024-01-15 02:26:28"),
        ("2024-01-15 04:26:28 America/New_York", "2024-01-15 09:26:28"),
        (" 2024-05-31 01:45:00 PM ", "2024-05-31 11:45:00"),
        ("2024-05-31 12:05 am", "2024-05-30 22:05:00"),
        ("2024-05-31 13:45:00 PM", None),
        ("2024-01-15 04:26:28 garbage", None),
        ("2024-01-15 04:26:28 Europe/Nowhere", None),
        ("2024-01-15 04:26:28 CST", None),  # Chicago or Shanghai
        ("24-05-31", None),
        ("31.05.2024", None),
        ("epoch", None),
        ("45123", None),
        ("", None),
    ],
)
def test_a_text_is_a_time_only_when_all_of_it_is_one(con, text, instant):
    assert read(con, text) == instant


@given(
    moment=st.datetimes(datetime(1900, 1, 1), datetime(2199, 12, 31)),  # noqa: DTZ001 - no zone
    gap=st.sampled_from(["T", " "]),
)
def test_iso_times_in_utc_are_read_as_python_reads_them(con, moment, gap):
    moment = moment.replace(microsecond=0)
    assert read(con, moment.isoformat(gap) + "Z") == f"{moment:%Y-%m-%d %H:%M:%S}".zfill(19)


def test_the_zone_of_a_text(con):
    texts = ["2024-01-15 04:26:28 UTC", "2024-01-15 04:26+01", "2024-01-15 04:26", "2024-01-15 -05"]
    found = [
        con.execute(f"select {zone_sql('x')} from (select ? as x)", [t]).fetchall() for t in texts
    ]
    assert [rows[0][0] for rows in found] == ["UTC", "+01", "", ""]


@pytest.mark.parametrize(
    ("values", "meaning"),
    [
        ([45443.0, 45444.5], "days since 1900, as Excel counts them"),
        ([20240531, 20240601], "days written as yyyymmdd"),
        ([1717163100, 1717249500], "seconds since 1970"),
        ([1717163100000, 1717249500000], "milliseconds since 1970"),
        ([1717163100000000, 1717249500000000], "microseconds since 1970"),
    ],
)
def test_the_remedy_for_numbers_gives_the_right_days(con, values, meaning):
    con.execute(
        'create or replace temp table r as select unnest(?)::double as "happened at"', [values]
    )
    remedy = describe_counted_times(con, "r", '"happened at"')
    assert meaning in remedy
    expression = remedy.split("then write ")[1]
    days = con.execute(
        f"select ({expression})::timestamp::date::varchar from r order by 1"
    ).fetchall()
    assert days == [("2024-05-31",), ("2024-06-01",)]


def test_other_numbers_are_no_times(con):
    con.execute("create or replace temp table r as select 7.0 as x")
    assert describe_counted_times(con, "r", "x").startswith("numbers from 7 to 7 are no count")
    con.execute("create or replace temp table r as select null::double as x")
    assert describe_counted_times(con, "r", "x") == "it has no values"
