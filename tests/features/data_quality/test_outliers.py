"""Outliers by robust z-score on logarithms, relative to the customer's level."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.data_quality.outliers import BOUND, check_outliers
from support.checked_table_builders import build_checked_table, finding_rows


def shop(amounts, customers=40, **more):
    """The amounts as hourly orders of this number of customers in turn."""
    return [
        {"customer_id": f"C{place % customers:02}", "occurred_at": place / 24, "kind": "order",
         "amount": float(amount), **more}
        for place, amount in enumerate(amounts)
    ]  # fmt: skip


def lognormal(rows=800, spread=0.6, seed=1):
    return np.exp(np.random.default_rng(seed).normal(4, spread, rows))


def test_an_amount_1000_times_too_large_is_reported_with_customer_day_and_value():
    amounts = lognormal()
    amounts[100], amounts[333] = 60_000, 0.02
    (found,) = check_outliers(build_checked_table("events", shop(amounts)))
    assert finding_rows([found]) == [("events.amount", "outliers", "warning", 2, 800)]
    assert (found.evidence["too_large"], found.evidence["too_small"]) == (1, 1)
    assert found.evidence["value"] == 0.02
    assert found.evidence["example"] == ["C13", "2024-01-14"]
    assert "2 of 800 rows of kind order lie beyond a robust z of 6: 1 too large, 1 too small" in (
        found.says
    )
    assert "tables.events.correct" in found.remedy


@given(st.integers(0, 10_000), st.floats(0.1, 2.0))
@settings(max_examples=15, deadline=None)
def test_lognormal_amounts_have_no_outliers(seed, spread):
    assert (
        list(check_outliers(build_checked_table("events", shop(lognormal(400, spread, seed)))))
        == []
    )


def test_a_large_customer_is_no_outlier_but_an_unusual_amount_of_a_small_one_is():
    rows = shop(lognormal(800, 0.3))
    for row in rows:
        if row["customer_id"] == "C07":
            row["amount"] *= 1000
    assert list(check_outliers(build_checked_table("events", rows))) == []
    rows[8]["amount"] *= 300  # of a small customer, and still less than the large one's
    (found,) = check_outliers(build_checked_table("events", rows))
    assert found.evidence["example"][0] == "C08"


def test_kinds_are_checked_separately():
    rows = shop(lognormal(400, 0.3))
    rows += [{**r, "kind": "return", "amount": -r["amount"] / 1e4} for r in rows]
    assert list(check_outliers(build_checked_table("events", rows))) == []


def test_an_exception_among_mostly_equal_values_is_found():
    amounts = np.full(300, 1.0)
    amounts[:3] = [5000, 2, 2]
    (found,) = check_outliers(build_checked_table("events", shop(amounts, customers=300)))
    assert (found.rows, found.evidence["value"]) == (3, 5000)


def test_a_long_tail_is_no_outlier():
    amounts = lognormal(1000, 0.1)
    amounts[::20] *= 50
    assert list(check_outliers(build_checked_table("events", shop(amounts, customers=1000)))) == []


def test_few_rows_give_no_finding():
    assert list(check_outliers(build_checked_table("events", shop([1.0] * 20 + [1e9])))) == []


@pytest.mark.parametrize("value", [1900.0, 201.0])
def test_a_year_among_years_is_compared_without_logarithms(value):
    years = np.random.default_rng(2).integers(2010, 2026, 300).astype(float)
    years[5] = value
    rows = [{"customer_id": f"C{i}", "since": year} for i, year in enumerate(years)]
    (found,) = check_outliers(build_checked_table("customers", rows, since="number"))
    assert finding_rows([found]) == [("customers.since", "outliers", "warning", 1, 300)]
    assert found.evidence["largest_z"] > BOUND


def test_tickets_open_for_years():
    hours = lognormal(200, 0.5)
    hours[3] = 24 * 365 * 9
    rows = [
        {"customer_id": f"C{i}", "opened_at": float(i), "closed_at": i + hours[i] / 24}
        for i in range(200)
    ]
    (found,) = check_outliers(build_checked_table("tickets", rows))
    assert found.place == "tickets.closed_at"
    assert "hours open 78,840" in found.says
