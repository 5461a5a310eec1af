"""Days without rows, sudden drops and an incomplete end, on weeks written by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.data_quality.completeness import find_final_shortfall, is_bursty, check_volume_drops, expected_counts, find_shortfalls
from support.checked_table_builders import orders, run, subject

SHOP = [20, 20, 20, 20, 30, 40, 0]  # Monday to Sunday: closed on Sundays; 2024 begins on a Monday


def weeks(count: int) -> np.ndarray:
    return np.tile(np.array(SHOP, float), count)


def test_a_week_without_rows_is_a_span_with_what_is_usual():
    counts = weeks(20)
    counts[70:77] = 0
    (span,) = find_shortfalls(counts)
    assert (span.first, span.last, span.found, span.usual) == (70, 75, 0, 150)
    assert span.lacking == 150


def test_a_gap_of_ten_weeks_is_one_span():
    counts = weeks(40)
    counts[100:170] = 0
    (span,) = find_shortfalls(counts)
    assert (span.first, span.last) == (100, 169)
    assert span.lacking == 1500


def test_weekends_and_a_steady_shop_lack_nothing():
    assert find_shortfalls(weeks(20)) == []
    assert find_shortfalls(weeks(1)) == []


def test_half_a_day_is_a_drop_and_slightly_less_is_not():
    counts = weeks(20)
    counts[61] = 5  # a Saturday of 40
    counts[72] = 25
    assert [(s.first, s.found, s.usual) for s in find_shortfalls(counts)] == [(61, 5, 40)]


@given(st.lists(st.integers(15, 25), min_size=120, max_size=120))
def test_noise_alone_is_no_drop(counts):
    assert find_shortfalls(np.array(counts, float)) == []


def test_a_rare_kind_lacks_rows_only_when_many_are_missing_together():
    counts = np.ones(200)
    counts[100:107] = 0
    assert find_shortfalls(counts) == []
    counts[100:115] = 0
    assert [(s.first, s.last, s.lacking) for s in find_shortfalls(counts)] == [(100, 114, 15)]


def test_an_end_that_collapsed_is_a_span_however_long_it_is():
    counts = weeks(30)
    counts[140:] = 1
    end = find_final_shortfall(counts)
    assert end is not None
    assert (end.first, end.last, end.found) == (140, 209, 70)
    assert find_final_shortfall(weeks(30)) is None


def test_campaigns_come_in_waves():
    counts = np.zeros(200)
    counts[[20, 80, 140]] = 500
    assert is_bursty(counts)
    assert find_shortfalls(counts) == []
    assert not is_bursty(weeks(20))


def test_what_is_usual_follows_the_weekday_and_skips_gaps():
    counts = weeks(20)
    counts[70:77] = 0
    usual, spread = expected_counts(counts, 0)
    assert usual[70:77].tolist() == SHOP
    assert spread.max() == 0


def planted(lacking: range) -> list[float]:
    """Five orders on each of 100 days but for some."""
    return [d + h / 10 for d in range(100) if d not in lacking for h in range(1, 6)]


def test_a_gap_names_its_days_its_figures_and_a_remedy():
    (found,) = run(check_volume_drops, subject("events", orders(planted(range(50, 57))), end=100))
    assert (found.place, found.check, found.severity) == ("events.occurred_at", "volume", "warning")
    assert (found.rows, found.total) == (35, 465)
    assert found.says == "no events from 2024-02-20 to 2024-02-26 (7 days), 35 are usual"
    assert "import the missing records" in found.remedy
    assert found.evidence["first_day"] == "2024-02-20"


def test_the_silent_end_asks_for_an_earlier_end_of_the_data():
    (found,) = run(check_volume_drops, subject("events", orders(planted(range(90, 100))), end=100))
    assert (found.check, found.rows) == ("last days", 50)
    assert "from 2024-03-31 to the end of the data (10 days)" in found.says
    assert 'company.data_end = "2024-03-31T00:00:00Z"' in found.remedy


def test_a_kind_may_lack_rows_alone():
    rows = orders(planted(range(100, 101)))
    rows += [{**r, "kind": "login"} for r in orders(planted(range(50, 57)))]
    (found,) = run(check_volume_drops, subject("events", rows, end=100))
    assert found.evidence["series"] == "login"
    assert found.says.startswith("no events of kind login from 2024-02-20")


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/Sao_Paulo"])
def test_days_are_the_companys(zone):
    hours = {"UTC": 0.0, "Asia/Kolkata": -5.5, "America/Sao_Paulo": 3.0}[zone]
    rows = orders([when + hours / 24 for when in planted(range(50, 57))])
    (found,) = run(check_volume_drops, subject("events", rows, end=100 + hours / 24, zone=zone))
    assert found.evidence["first_day"] == "2024-02-20"
