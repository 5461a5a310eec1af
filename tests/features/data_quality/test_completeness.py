"""Days without rows, sudden drops and an incomplete end, on literal weeks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.data_quality.completeness import (
    check_late_rows,
    check_volume_drops,
    expected_counts,
    find_final_shortfall,
    find_late_end,
    find_shortfalls,
    is_bursty,
)
from support.checked_table_builders import build_checked_table, order_rows, run_with_daily_counts

SHOP = [20, 20, 20, 20, 30, 40, 0]  # Monday to Sunday: closed on Sundays; 2024 begins on a Monday


def weeks(count: int) -> np.ndarray:
    return np.tile(np.array(SHOP, float), count)


def test_a_week_without_rows_is_a_shortfall_with_the_usual_rows():
    counts = weeks(20)
    counts[70:77] = 0
    (span,) = find_shortfalls(counts)
    assert (span.first, span.last, span.found, span.usual) == (70, 75, 0, 150)
    assert span.missing == 150


def test_a_gap_of_ten_weeks_is_one_shortfall():
    counts = weeks(40)
    counts[100:170] = 0
    (span,) = find_shortfalls(counts)
    assert (span.first, span.last) == (100, 169)
    assert span.missing == 1500


def test_weekends_and_steady_days_are_no_shortfall():
    assert find_shortfalls(weeks(20)) == []
    assert find_shortfalls(weeks(1)) == []


def test_half_of_the_usual_rows_is_a_drop_and_slightly_more_is_not():
    counts = weeks(20)
    counts[61] = 5  # a Saturday of 40
    counts[72] = 25
    assert [(s.first, s.found, s.usual) for s in find_shortfalls(counts)] == [(61, 5, 40)]


@given(st.lists(st.integers(15, 25), min_size=120, max_size=120))
def test_noise_is_no_drop(counts):
    assert find_shortfalls(np.array(counts, float)) == []


def test_a_rare_kind_has_a_shortfall_only_when_many_rows_are_missing():
    counts = np.ones(200)
    counts[100:107] = 0
    assert find_shortfalls(counts) == []
    counts[100:115] = 0
    assert [(s.first, s.last, s.missing) for s in find_shortfalls(counts)] == [(100, 114, 15)]


def test_an_incomplete_end_is_one_shortfall_whatever_its_length():
    counts = weeks(30)
    counts[140:] = 1
    end = find_final_shortfall(counts)
    assert end is not None
    assert (end.first, end.last, end.found) == (140, 209, 70)
    assert find_final_shortfall(weeks(30)) is None


def test_campaigns_are_bursty():
    counts = np.zeros(200)
    counts[[20, 80, 140]] = 500
    assert is_bursty(counts)
    assert find_shortfalls(counts) == []
    assert not is_bursty(weeks(20))


def test_usual_rows_follow_the_weekday_and_skip_gaps():
    counts = weeks(20)
    counts[70:77] = 0
    usual, spread = expected_counts(counts, 0)
    assert usual[70:77].tolist() == SHOP
    assert spread.max() == 0


def planted(missing: range) -> list[float]:
    """Five orders on each of 100 days except the missing ones."""
    return [d + h / 10 for d in range(100) if d not in missing for h in range(1, 6)]


def test_a_gap_is_reported_with_days_figures_and_remedy():
    (found,) = run_with_daily_counts(
        check_volume_drops,
        build_checked_table("events", order_rows(planted(range(50, 57))), end=100),
    )
    assert (found.place, found.check, found.severity) == ("events.occurred_at", "volume", "warning")
    assert (found.rows, found.total) == (35, 465)
    assert found.says == "no events from 2024-02-20 to 2024-02-26 (7 days), 35 are usual"
    assert "import the missing records" in found.remedy
    assert found.evidence["first_day"] == "2024-02-20"


def test_an_empty_end_suggests_an_earlier_data_end():
    (found,) = run_with_daily_counts(
        check_volume_drops,
        build_checked_table("events", order_rows(planted(range(90, 100))), end=100),
    )
    assert (found.check, found.rows) == ("last days", 50)
    assert "from 2024-03-31 to the end of the data (10 days)" in found.says
    assert 'company.data_end = "2024-03-31T00:00:00Z"' in found.remedy


def test_rows_of_a_single_kind_are_missing():
    rows = order_rows(planted(range(100, 101)))
    rows += [{**r, "kind": "login"} for r in order_rows(planted(range(50, 57)))]
    (found,) = run_with_daily_counts(
        check_volume_drops, build_checked_table("events", rows, end=100)
    )
    assert found.evidence["series"] == "login"
    assert found.says.startswith("no events of kind login from 2024-02-20")


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/Sao_Paulo"])
def test_days_are_in_the_companys_time_zone(zone):
    hours = {"UTC": 0.0, "Asia/Kolkata": -5.5, "America/Sao_Paulo": 3.0}[zone]
    rows = order_rows([when + hours / 24 for when in planted(range(50, 57))])
    (found,) = run_with_daily_counts(
        check_volume_drops, build_checked_table("events", rows, end=100 + hours / 24, zone=zone)
    )
    assert found.evidence["first_day"] == "2024-02-20"


def test_a_longer_gap_than_ever_in_the_year_before_is_late():
    counts = np.tile(np.array([1.0, 0, 0]), 60)
    assert find_late_end(np.append(counts, 1)) is None
    assert find_late_end(np.append(counts, [1, 0, 0])) is None, "as usual"
    late = find_late_end(np.append(counts, [1, 0, 0, 0]))
    assert late is not None
    assert (late.newest, late.days, late.longest_gap) == (180, 3, 2)
    assert find_late_end(np.append(np.tile([1.0, 0, 0], 18), [1, 0, 0, 0])) is None, "too short"


@given(st.lists(st.integers(0, 3), min_size=60, max_size=400), st.integers(0, 12))
def test_the_end_is_late_where_no_run_of_empty_days_is_as_long(counts, empty):
    """Compared with texts of empty and filled days."""
    days = "".join("x" if n else "." for n in [1, *counts, 1])
    runs = [len(run) for run in days[-366:].split("x")]
    late = find_late_end(np.array([1, *counts, 1, *[0] * empty], float))
    if empty <= max(runs):
        assert late is None
    else:
        assert late is not None
        assert late.days == empty


def test_late_rows_are_named_with_the_newest_day_and_the_remedy():
    (found,) = run_with_daily_counts(
        check_late_rows, build_checked_table("events", order_rows(range(0, 90, 2)), end=92)
    )
    assert (found.check, found.severity) == ("late", "warning")
    assert found.says == (
        "no events for 3 days: the newest row is from 2024-03-29; in the year before, there was one "
        "after at most 1 days"
    )
    assert "check whether the newest rows were delivered" in found.remedy
    (daily,) = run_with_daily_counts(
        check_late_rows, build_checked_table("events", order_rows(range(90)), end=91)
    )
    assert daily.says == "no events after 2024-03-30, though every day of the year before has some"


def test_an_end_with_many_missing_rows_is_reported_once():
    rows = order_rows(planted(range(90, 100)))
    assert not run_with_daily_counts(check_late_rows, build_checked_table("events", rows, end=100))
