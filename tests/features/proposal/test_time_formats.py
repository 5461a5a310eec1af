"""Times written as texts and numbers; DuckDB itself is the judge of what a format reads."""

from datetime import datetime

import duckdb
import pytest

from features.ingest.sql import quote_literal
from features.proposal.time_formats import TimeForm, number_time_form, text_time_form


def form_of(*values: str) -> TimeForm | None:
    def parses(formats: list[str]) -> list[int]:
        asked = ", ".join(f"count(try_strptime(v, {quote_literal(f)}))" for f in formats)
        sql = f"select {asked} from (select unnest(?::varchar[]) as v)"
        return list(duckdb.execute(sql, [list(values)]).fetchall()[0])

    return text_time_form(list(values), parses)


@pytest.mark.parametrize(
    ("value", "year", "month", "day"),
    [
        ("31.12.2024", 2024, 12, 31),
        ("31.12.2024 13:05", 2024, 12, 31),
        ("12/31/2024 01:05:00 PM", 2024, 12, 31),
        ("2024/12/31 23:59:59", 2024, 12, 31),
        ("2024年12月31日", 2024, 12, 31),
        ("31-Dec-2024", 2024, 12, 31),
        ("31/12/24", 2024, 12, 31),
        ("20241231", 2024, 12, 31),
    ],
)
def test_forms(value: str, year: int, month: int, day: int) -> None:
    form = form_of(value)
    assert form is not None
    assert form.twin is None
    read = duckdb.execute(f"select ({form.sql.format(quote_literal(value))})::date").fetchall()
    assert read[0][0].timetuple()[:3] == (year, month, day)


def test_a_zone_makes_an_instant() -> None:
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    for value in (
        "2024-06-01T12:00:00+02:00",
        "2024-06-01T10:00:00Z",
        "2024-06-01 12:00:00 Europe/Berlin",
    ):
        form = form_of(value)
        assert form is not None
        assert form.has_zone
        sql = form.sql.format(quote_literal(value))
        assert con.execute(f"select {sql} = timestamptz '2024-06-01 10:00:00+00'").fetchall() == [
            (True,)
        ]


def test_day_and_month_that_nothing_tells_apart_have_a_twin() -> None:
    form = form_of("03/04/2024", "05/06/2024")
    assert form is not None
    assert form.twin is not None
    assert {form.name, form.twin.name} == {"%d/%m/%Y", "%m/%d/%Y"}
    decided = form_of("03/04/2024", "25/06/2024")
    assert decided is not None
    assert (decided.name, decided.twin) == ("%d/%m/%Y", None)


@pytest.mark.parametrize(
    "values", [("abc",), ("1,5",), ("2024-13-45",), ("12345",), ("31.12.2024", "x")]
)
def test_what_is_no_time(values: tuple[str, ...]) -> None:
    assert form_of(*values) is None


@pytest.mark.parametrize(
    ("low", "high", "name", "moment"),
    [
        (20240101, 20241231, "yyyymmdd", datetime(2024, 1, 1)),  # noqa: DTZ001
        (1704067200, 1735603200, "seconds since 1970", None),
        (1704067200000, 1735603200000, "milliseconds since 1970", None),
        (45292, 45657, "Excel's days", datetime(2024, 1, 1)),  # noqa: DTZ001
    ],
)
def test_numbers(low: float, high: float, name: str, moment: datetime | None) -> None:
    form = number_time_form(low, high)
    assert form is not None
    assert form.name == name
    read = duckdb.execute(f"select ({form.sql.format(low)})::timestamp").fetchall()
    assert read[0][0] == (moment or datetime(2024, 1, 1))  # noqa: DTZ001


def test_numbers_that_count_no_time() -> None:
    assert number_time_form(1, 500) is None
