"""Net revenue of the last half-year against the one before and the same one a year ago."""

from datetime import date

import pytest

from features.errors import DataRefused
from insight.evaluation.revenue_change import measure_revenue, relative_change
from support.survey_builders import on, write_history


def bought(customer, month, amount, kind="order", year=2025):
    when = on(month, 15, year)
    return {
        "customer_id": customer, "occurred_at": when, "known_at": when, "kind": kind,
        "amount": amount,
    }  # fmt: skip


def measure(folder, rows, start="2024-01-01T00:00:00+00:00"):
    company, workspace, _ = write_history(folder, start=start, events=rows)
    return measure_revenue(company, workspace)


ROWS = [
    bought("A", 7, 100.0), bought("A", 12, 60.0), bought("A", 12, -10.0, "return"),
    bought("B", 9, 50.0), bought("A", 3, 300.0), bought("B", 3, 100.0),
    bought("A", 8, 160.0, year=2024), bought("B", 9, 999.0, "payment"),
]  # fmt: skip


def test_orders_minus_returns_of_three_spans(tmp_path):
    found = measure(tmp_path, ROWS)
    assert (found.since, found.until) == (date(2025, 7, 1), date(2026, 1, 1))
    assert (found.value, found.before, found.year_ago) == (200.0, 400.0, 160.0)
    assert found.on_before.value == pytest.approx(-0.5)
    assert found.on_year_ago.value == pytest.approx(0.25)
    assert len(found.over_time) == 24
    assert [m.value for m in found.over_time if m.value] == [160.0, 400.0, 100.0, 50.0, 50.0]


def test_the_interval_is_that_of_a_ratio_of_sums_of_customers():
    """150 + 50 after 300 + 100: the halves of both customers; then 200 + 0 after the same."""
    halved = {"a": 200.0, "b": 400.0, "aa": 25000.0, "bb": 100000.0, "ab": 50000.0}
    assert relative_change(halved, "b").low == pytest.approx(-0.5)
    moved = {"a": 200.0, "b": 400.0, "aa": 40000.0, "bb": 100000.0, "ab": 60000.0}
    found = relative_change(moved, "b")
    # (200 - 150)^2 + (0 - 50)^2 = 5000; its root over 400, times 1.96
    assert found.high - found.value == pytest.approx(1.96 * 5000**0.5 / 400, rel=1e-3)


def test_earlier_spans_that_the_data_do_not_hold_are_unknown(tmp_path):
    found = measure(tmp_path, ROWS, start="2025-01-01T00:00:00+00:00")
    assert (found.before, found.year_ago, found.on_year_ago) == (400.0, None, None)
    assert len(found.over_time) == 12


def test_no_change_is_computed_from_nothing(tmp_path):
    found = measure(tmp_path, ROWS[:1])
    assert (found.before, found.on_before) == (0.0, None)


@pytest.mark.parametrize(
    ("rows", "start", "why"),
    [
        ([{"customer_id": "A", "occurred_at": on(1), "known_at": on(1), "kind": "order"}],
         "2025-01-01T00:00:00+00:00", "records no amounts"),
        (ROWS[:1], "2025-10-01T00:00:00+00:00", "3 whole months of data; a comparison of revenue"),
    ],
)  # fmt: skip
def test_without_amounts_or_half_a_year_it_is_refused(tmp_path, rows, start, why):
    with pytest.raises(DataRefused, match=why):
        measure(tmp_path, rows, start)
