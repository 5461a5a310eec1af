"""Calendar buckets begin at midnight where the company is, through summer time and across the year."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.calendar_periods import add_months, bucket_sql, label_of, start_of
from features.definitions.expressions import Past
from features.engine.compute_features import FeaturePlan
from features.feature_table import feature_table
from features.history.build_history import build_history
from support.company_builders import Shop
from support.table_builders import column_of, contract_table

ZONES = ("UTC", "Europe/London", "America/New_York", "America/Sao_Paulo", "Asia/Shanghai")


def buckets(moments: list[datetime], length: str, zone: str) -> list[str]:
    """The labels of instants, as texts."""
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.register("rows", pa.table({"t": pa.array(moments, pa.timestamp("us", "UTC"))}))
        sql = f"select ({bucket_sql(length, 't', zone)})::varchar from rows"
        return [row[0] for row in con.sql(sql).fetchall()]


@pytest.mark.parametrize(
    ("length", "zone", "label"),
    [
        ("day", "UTC", "2018-01-01"),
        ("day", "America/Sao_Paulo", "2017-12-31"),
        ("week", "America/Sao_Paulo", "2017-12-25"),
        ("month", "America/Sao_Paulo", "2017-12-01"),
        ("quarter", "America/Sao_Paulo", "2017-10-01"),
        ("year", "America/Sao_Paulo", "2017-01-01"),
        ("year", "Asia/Shanghai", "2018-01-01"),
    ],
)
def test_new_year_at_half_past_one_in_utc(length: str, zone: str, label: str) -> None:
    found = buckets([datetime(2018, 1, 1, 1, 30, tzinfo=UTC)], length, zone)
    assert found == [f"{label} 00:00:00+00"]


INSTANTS = st.integers(0, 11 * 365 * 1440).map(
    lambda minutes: datetime(2016, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@settings(deadline=None, max_examples=30)
@given(st.lists(INSTANTS, min_size=1, max_size=20), st.sampled_from(ZONES))
def test_days_and_months_are_those_of_the_clock_on_the_wall(
    moments: list[datetime], zone: str
) -> None:
    here = [moment.astimezone(ZoneInfo(zone)) for moment in moments]
    assert buckets(moments, "day", zone) == [f"{t:%Y-%m-%d} 00:00:00+00" for t in here]
    assert buckets(moments, "month", zone) == [f"{t:%Y-%m}-01 00:00:00+00" for t in here]
    for moment in moments:
        assert start_of(label_of(moment, zone), zone) - moment in (
            timedelta(0), timedelta(hours=-1), timedelta(hours=1)
        )  # fmt: skip  # an hour that the clock shows twice


def test_a_day_of_summer_time_begins_an_hour_earlier() -> None:
    april = datetime(2025, 4, 1, tzinfo=UTC)
    assert start_of(april, "Europe/London") == datetime(2025, 3, 31, 23, tzinfo=UTC)
    assert start_of(add_months(april, -3), "Europe/London") == datetime(2025, 1, 1, tzinfo=UTC)
    assert add_months(april, 9) == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("zone", "month"), [("UTC", 1.0), ("America/Sao_Paulo", 12.0)])
def test_the_month_of_a_cutoff_is_that_of_the_company(zone: str, month: float) -> None:
    history = build_history({"events": contract_table("events", [])}, customers=("A",))
    cutoff = datetime(2018, 1, 1, 1, 30, tzinfo=UTC)
    made = feature_table(
        history,
        pa.array(["A"]),
        np.array([round(cutoff.timestamp() * 1e6)]),
        FeaturePlan.from_columns([column_of(Past().month)], time_zone=zone),
    )
    assert made["it"].to_pylist() == [month]


def test_the_data_end_at_the_midnight_after_the_last_record(tmp_path: Path) -> None:
    """Times without a zone are of New York, and so is the end of their day."""
    shop = Shop(tmp_path)
    shop.about["time_zone"] = "America/New_York"
    manifest = shop.run()
    last = max(shop.moments("tickets", "opened_at"))
    assert last == "2024-03-01 14:00:00"  # 09:00 there
    assert manifest.end == datetime(2024, 3, 2, 5, tzinfo=UTC)
    assert manifest.schema.time_zone == "America/New_York"
